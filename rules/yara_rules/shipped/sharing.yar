// Peer-to-peer programs: their own data files.

rule torrent_file {
    meta:
        description = "a torrent: names and hashes of files offered over BitTorrent (BEP 3)"
        severity = 2
        category = "p2p"
        innocent = "Linux, games and public archives are given out as torrents."
    strings:
        $pieces = "6:pieces"
        $length = "12:piece length"
        $info = "4:infod"
        $tree = "9:file tree"
    condition:
        uint8(0) == 0x64 and uint8(1) >= 0x30 and uint8(1) <= 0x39 and $info and $length and ($pieces or $tree)
}

rule qbittorrent_resume {
    meta:
        description = "qBittorrent's record of a torrent it was downloading or sharing"
        severity = 3
        category = "p2p"
        innocent = "Linux, games and public archives are given out as torrents."
    strings:
        $path = /1[0-9]:qBt-(savePath|category|name|seedingTimeLimit|ratioLimit)/
    condition:
        uint8(0) == 0x64 and filesize < 16MB and $path
}

rule utorrent_resume {
    meta:
        description = "the list of torrents of uTorrent or BitTorrent, with times and paths"
        severity = 3
        category = "p2p"
        innocent = "Linux, games and public archives are given out as torrents."
    strings:
        $guard = "d10:.fileguard40:"
    condition:
        $guard at 0
}

rule ares_shared_files {
    meta:
        description = "the list of files that Ares shared or downloaded"
        severity = 4
        category = "p2p"
        innocent = "Ares was widely used for music."
    strings:
        $head = /__ARESDB1\.0[24][HL]_/
    condition:
        $head at 0
}

rule transmission_resume {
    meta:
        description = "Transmission's record of a torrent it was downloading or sharing, with times and the folder"
        severity = 3
        category = "p2p"
        innocent = "Linux, games and public archives are given out as torrents."
    strings:
        $time = "13:activity-date"
        $folder = "11:destination"
    condition:
        uint8(0) == 0x64 and filesize < 16MB and all of them
}
