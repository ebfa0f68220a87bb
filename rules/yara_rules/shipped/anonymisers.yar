// Traces that anonymising programs leave in files of their own, and lists of hidden services.

rule tor_state_file {
    meta:
        description = "the state file of a Tor client: it ran here, and says when it last wrote"
        severity = 4
        category = "anonymisers"
        innocent = "Tor is lawful; it comes with Brave and with some messengers, which use it without being asked."
    strings:
        $head = "# Tor state file last generated on "
    condition:
        $head at 0
}

rule tor_consensus {
    meta:
        description = "the directory of relays that a Tor client fetches when it connects"
        severity = 4
        category = "anonymisers"
        innocent = "Tor is lawful; it comes with Brave and with some messengers, which use it without being asked."
    strings:
        $head = "network-status-version 3"
        $status = "vote-status consensus"
    condition:
        $head at 0 and $status in (0..128)
}

rule tor_hidden_service_settings {
    meta:
        description = "Tor settings that offer a hidden service from this computer"
        severity = 5
        category = "anonymisers"
        innocent = "Some people reach their own server at home, or run a mirror of a news site, this way."
    strings:
        $folder = /(^|\n)[ \t]{0,8}HiddenServiceDir[ \t]{1,8}[^\n]{1,200}/
        $port = /(^|\n)[ \t]{0,8}HiddenServicePort[ \t]{1,8}[0-9]/
    condition:
        filesize < 1MB and all of them
}

rule onion_address_list {
    meta:
        description = "a text with five or more addresses of hidden services (version 3)"
        severity = 4
        category = "anonymisers"
        innocent = "Software lists such as those of Bitcoin nodes hold many; news sites publish theirs."
    strings:
        // Of 56 letters the last is always d: it carries the version number (rend-spec-v3, 6).
        $address = /\b[a-z2-7]{55}d\.onion\b/
    condition:
        filesize < 20MB and uint16be(0) != 0x4D5A and uint32be(0) != 0x7F454C46 and #address >= 5
}
