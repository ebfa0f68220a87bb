// Programs that say in their own version resource what they are, whatever the file is called.
import "pe"

rule encryption_program {
    meta:
        description = "a Windows program that names itself as encryption software"
        severity = 3
        category = "encryption"
        innocent = "Encryption software is lawful and recommended for laptops."
    condition:
        uint16be(0) == 0x4D5A and for any key, value in pe.version_info : (
            (key == "ProductName" or key == "InternalName") and for any name in ("veracrypt", "truecrypt", "cryptomator", "diskcryptor", "axcrypt") : (value icontains name))
}

rule wiping_program {
    meta:
        description = "a Windows program that names itself as software for removing traces or overwriting files"
        severity = 3
        category = "wiping"
        innocent = "Cleaning tools are sold as making computers faster; companies must wipe drives before they sell them."
    condition:
        uint16be(0) == 0x4D5A and for any key, value in pe.version_info : (
            (key == "ProductName" or key == "InternalName" or key == "FileDescription")
            and (for any name in ("bleachbit", "sdelete", "privazer", "ccleaner", "dban", "killdisk", "hardwipe", "evidence eliminator", "file shredder") : (value icontains name)
                or value iequals "eraser"))
}

rule anonymising_program {
    meta:
        description = "a Windows program that names itself as software for hiding where its user goes"
        severity = 3
        category = "anonymisers"
        innocent = "VPN programs are common, and many employers demand one."
    condition:
        uint16be(0) == 0x4D5A and for any key, value in pe.version_info : (
            (key == "ProductName" or key == "InternalName")
            and for any name in ("tor browser", "torbrowser", "psiphon", "hyphanet", "freenet", "ultrasurf", "proxifier") : (value icontains name))
}

rule hiding_program {
    meta:
        description = "a Windows program that names itself as software for hiding data inside pictures or sound"
        severity = 4
        category = "steganography"
        innocent = "Used in teaching, and for invisible marks of ownership."
    condition:
        uint16be(0) == 0x4D5A and for any key, value in pe.version_info : (
            (key == "ProductName" or key == "InternalName")
            and for any name in ("openpuff", "openstego", "steghide", "silenteye", "deepsound", "quickstego", "xiao steganography") : (value icontains name))
}

rule sharing_program {
    meta:
        description = "a Windows program that names itself as peer-to-peer software"
        severity = 3
        category = "p2p"
        innocent = "Games and free software are given out over peer-to-peer networks."
    condition:
        uint16be(0) == 0x4D5A and for any key, value in pe.version_info : (
            (key == "ProductName" or key == "InternalName")
            and for any name in ("qbittorrent", "utorrent", "emule", "shareaza", "frostwire", "gigatribe", "soulseek", "deluge") : (value icontains name))
}
