// Programs of Linux, whatever the file is called: each by two sentences of its own that no other program says.

rule linux_wiping_program {
    meta:
        description = "a Linux program for overwriting files, free space or whole drives"
        severity = 3
        category = "wiping"
        innocent = "Rescue and installation media carry such programs; companies must wipe drives before they sell them."
    strings:
        $srm_a = " does a secure overwrite/rename/delete of the target file"
        $sfill_a = " does a secure overwrite of the free space on the partition"
        $wipe_a = "This is wipe version "
        $wipe_b = "-F Do not attempt to wipe filenames"
        $nwipe_a = "Nwipe was aborted by the user"
        $nwipe_b = "Nwipe exited with errors"
        $scrub_a = "-X, --freespace dir"
        $scrub_b = "select scrub pattern sequence"
        $bleachbit_a = "BleachBit"
        $bleachbit_b = /(from bleachbit(\.[A-Za-z]+)? import |import bleachbit)/
    condition:
        (uint32be(0) == 0x7F454C46 and (any of ($srm_a, $sfill_a) or all of ($wipe_*) or all of ($nwipe_*) or all of ($scrub_*)))
        or (uint16be(0) == 0x2321 and filesize < 100KB and all of ($bleachbit_*))
}

rule linux_anonymising_program {
    meta:
        description = "a Linux program for hiding where its user goes"
        severity = 3
        category = "anonymisers"
        innocent = "Tor is lawful; some systems and messengers bring it along, and journalists and others need it."
    strings:
        $tor_a = "HiddenServiceDir"
        $tor_b = "# Tor state file last generated on"
        $tor_c = "network-status-version 3"
        $i2pd_a = "<b>i2pd</b> webconsole"
        $i2pd_b = "i2p.router.version"
        $chains_a = "PROXYCHAINS_CONF_FILE"
        $chains_b = "Usage:\t%s -q -f config_file program_name [arguments]"
    condition:
        uint32be(0) == 0x7F454C46 and (all of ($tor_*) or all of ($i2pd_*) or all of ($chains_*))
}

rule linux_hiding_program {
    meta:
        description = "a Linux program for hiding data inside pictures, sound or text"
        severity = 4
        category = "steganography"
        innocent = "Used in teaching and in puzzles, and for invisible marks of ownership."
    strings:
        $steghide_a = "embed -cf cvr.jpg -ef emb.txt"
        $steghide_b = "Steghide has to exit now. Sorry."
        $outguess_a = "OutGuess "
        $outguess_b = " Universal Stego "
        $snow_a = "Matthew Kwan <mkwan@darkside.com.au>"
    condition:
        uint32be(0) == 0x7F454C46 and (all of ($steghide_*) or all of ($outguess_*) or $snow_a)
}

rule linux_encryption_program {
    meta:
        description = "a Linux program for encrypted folders"
        severity = 3
        category = "encryption"
        innocent = "Encryption software is lawful and recommended for laptops."
    strings:
        $gocryptfs_a = "github.com/rfjakob/gocryptfs"
        $gocryptfs_b = "gocryptfs.diriv"
        $encfs_a = "EncFS_Context"
        $encfs_b = "ENCFS6_CONFIG"
    condition:
        uint32be(0) == 0x7F454C46 and (all of ($gocryptfs_*) or all of ($encfs_*))
}

rule linux_sharing_program {
    meta:
        description = "a Linux program for peer-to-peer sharing"
        severity = 3
        category = "p2p"
        innocent = "Transmission comes with some systems; free software is given out over peer-to-peer networks."
    strings:
        $qbittorrent_a = "qBittorrent/"
        $qbittorrent_b = "Thank you for using qBittorrent."
        $transmission_a = "Copyright (c) The Transmission Project"
        $transmission_b = "rpc-version-minimum"
    condition:
        uint32be(0) == 0x7F454C46 and (all of ($qbittorrent_*) or all of ($transmission_*))
}
