// Encrypted containers, vaults, archives and messages: what the format itself says, never entropy alone.
// VeraCrypt and TrueCrypt containers have no signature at all; what tells of them is the program's own settings (below) and its binary (programs.yar).

rule luks_volume {
    meta:
        description = "the header of a LUKS encrypted volume (LUKS On-Disk Format 1.2.3 and 2.1.0)"
        severity = 4
        category = "encryption"
        innocent = "Linux offers to encrypt its disk when it is installed; a backup of the header is good practice."
    strings:
        $primary = { 4C 55 4B 53 BA BE 00 (01 | 02) }
        $secondary = { 53 4B 55 4C BA BE 00 02 }
    condition:
        ($primary at 0 and filesize >= 592) or ($secondary at 0 and filesize >= 4096)
}

rule bitlocker_volume {
    meta:
        description = "the boot sector of a BitLocker volume inside a file (libbde format documentation, section 3)"
        severity = 3
        category = "encryption"
        innocent = "A backup of a computer whose disk Windows encrypted by itself, or the disk of a virtual machine."
    condition:
        filesize >= 512 and uint16be(510) == 0x55AA and uint32be(3) == 0x2D465645 and uint32be(7) == 0x2D46532D
}

rule keepass_database {
    meta:
        description = "a KeePass password database (KDB or KDBX)"
        severity = 1
        category = "encryption"
        innocent = "Password managers are recommended to everybody; this is a store of passwords, seldom of anything else."
    condition:
        filesize > 64 and uint32(0) == 0x9AA2D903 and (uint32(4) == 0xB54BFB65 or uint32(4) == 0xB54BFB66 or uint32(4) == 0xB54BFB67)
}

rule veracrypt_settings {
    meta:
        description = "settings, favourites or the list of last volumes, as VeraCrypt or TrueCrypt writes them"
        severity = 3
        category = "encryption"
        innocent = "VeraCrypt is a common tool for keeping private and business files on a stick."
    strings:
        $veracrypt = "<VeraCrypt>"
        $truecrypt = "<TrueCrypt>"
        $configuration = "<configuration"
        $history = "<history>"
        $favourites = "<favorites>"
        $keyfiles = "<defaultkeyfiles>"
        $system = "<sysencryption"
    condition:
        uint32be(0) == 0x3C3F786D and filesize < 4MB
        and ($veracrypt in (0..256) or $truecrypt in (0..256))
        and any of ($configuration, $history, $favourites, $keyfiles, $system)
}

rule cryptomator_vault {
    meta:
        description = "the master key file of a Cryptomator vault: its encrypted folder is beside it"
        severity = 3
        category = "encryption"
        innocent = "Cryptomator protects files in cloud storage from its operator."
    strings:
        $salt = "\"scryptSalt\""
        $primary = "\"primaryMasterKey\""
        $mac = "\"hmacMasterKey\""
    condition:
        uint8(0) == 0x7B and filesize < 16KB and all of them
}

rule gocryptfs_vault {
    meta:
        description = "the configuration of a gocryptfs encrypted folder: the encrypted files are beside it"
        severity = 3
        category = "encryption"
        innocent = "Encrypted folders are used for backups in the cloud."
    strings:
        $creator = "\"Creator\""
        $key = "\"EncryptedKey\""
        $scrypt = "\"ScryptObject\""
    condition:
        uint8(0) == 0x7B and filesize < 64KB and all of them
}

rule encfs_vault {
    meta:
        description = "the configuration of an EncFS encrypted folder: the encrypted files are beside it"
        severity = 3
        category = "encryption"
        innocent = "Encrypted folders are used for backups in the cloud."
    strings:
        $archive = "<boost_serialization"
        $key = "<encodedKeyData"
        $salt = "<saltData"
    condition:
        uint32be(0) == 0x3C3F786D and filesize < 64KB and all of them
}

rule aes_crypt_file {
    meta:
        description = "a file encrypted with AES Crypt (AES Crypt stream format, versions 2 and 3)"
        severity = 2
        category = "encryption"
        innocent = "Used to send a private document by mail."
    strings:
        $creator = { 00 ?? 43 52 45 41 54 45 44 5F 42 59 00 }
    condition:
        uint32be(0) & 0xFFFFFF00 == 0x41455300 and (uint8(3) == 2 or uint8(3) == 3) and uint8(4) == 0 and $creator in (5..64)
}

rule age_file {
    meta:
        description = "a file encrypted with age (age-encryption.org/v1)"
        severity = 2
        category = "encryption"
        innocent = "Used by administrators and programmers for passwords of servers; this toolkit seals its own results with it."
    strings:
        $binary = "age-encryption.org/v1\n-> "
        $armour = "-----BEGIN AGE ENCRYPTED FILE-----"
    condition:
        $binary at 0 or $armour at 0
}

rule openpgp_message {
    meta:
        description = "a message or file encrypted with OpenPGP (RFC 9580, sections 5.1, 5.3 and 6.2)"
        severity = 2
        category = "encryption"
        innocent = "Encrypted mail; backups and credentials of companies and programmers."
    strings:
        $armour = /-----BEGIN PGP MESSAGE-----\r?\n([A-Z][A-Za-z]{2,12}: [^\n]{0,100}\r?\n){0,6}[ \t]{0,8}\r?\n[A-Za-z0-9+\/=]{20,80}\r?\n/
        // Symmetric-key session key, version 4, AES-128 to Camellia-256, salted or iterated S2K; then a sealed data packet.
        $password = { (8C 0D | C3 0D) 04 (07 | 08 | 09 | 0A | 0B | 0C | 0D) 03 (02 | 08 | 09 | 0A) [9] (C9 | D2 | A4 | D4) }
    condition:
        $armour at 0 or ($password at 0 and filesize > 32)
        or (
            // Public-key session key, old packet format, two-byte length: version 3, key id, RSA or Elgamal, then another or the data.
            (uint8(0) == 0x84 or uint8(0) == 0x85) and filesize > 64
            and (
                (uint8(0) == 0x85 and uint16be(1) < 2000 and uint8(3) == 3 and (uint8(12) == 1 or uint8(12) == 16)
                    and for any tag in (0x84, 0x85, 0xC1, 0xC9, 0xD2, 0xD4, 0xA4) : (uint8(3 + uint16be(1)) == tag))
                or (uint8(0) == 0x84 and uint8(2) == 3 and uint8(11) == 18
                    and for any tag in (0x84, 0x85, 0xC1, 0xC9, 0xD2, 0xD4, 0xA4) : (uint8(2 + uint8(1)) == tag))
            )
        )
}

rule zip_encrypted {
    meta:
        description = "a ZIP archive in which at least one file is encrypted (APPNOTE 4.4.4, bit 0 of the flags)"
        severity = 2
        category = "encryption"
        innocent = "Banks, doctors and employers send documents in archives with a password."
    strings:
        $entry = { 50 4B 01 02 ?? (00 | 01 | 02 | 03 | 05 | 06 | 07 | 0A | 0B | 0E | 13 | 1E | 1F) (0A | 14 | 15 | 19 | 1B | 2D | 2E | 32 | 33 | 34 | 3F) (00 | 03 | 0A | 0B | 0E | 13) }
    condition:
        uint32be(0) == 0x504B0304
        and (uint16(6) & 1 == 1 and uint16(8) <= 99 or for any i in (1..#entry) : (uint16(@entry[i] + 8) & 1 == 1))
}

rule sevenzip_encrypted_names {
    meta:
        description = "a 7-Zip archive whose list of names is encrypted (7zFormat.txt: the AES coder 06F10701 in the end header)"
        severity = 3
        category = "encryption"
        innocent = "Some backup programs encrypt everything by default."
    strings:
        $aes = { 06 F1 07 01 }
    condition:
        uint32be(0) == 0x377ABCAF and uint16be(4) == 0x271C and uint32(16) == 0 and uint32(12) < filesize
        and $aes in (32 + uint32(12)..filesize)
}

rule rar_encrypted_names {
    meta:
        description = "a RAR archive whose list of names is encrypted (RAR 5.0 archive format, header type 4; RAR 4, flag 0x0080)"
        severity = 3
        category = "encryption"
        innocent = "Archives with a password are used to send private documents."
    condition:
        uint32be(0) == 0x52617221
        and (
            (uint32be(4) == 0x1A070100 and uint8(12) < 0x80 and uint8(13) == 4)
            or (uint16be(4) == 0x1A07 and uint8(6) == 0 and uint8(9) == 0x73 and uint16(10) & 0x0080 != 0)
        )
}

rule office_encrypted {
    meta:
        description = "an Office document with a password for opening it (MS-OFFCRYPTO 2.3.4)"
        severity = 2
        category = "encryption"
        innocent = "Employers and clubs protect lists of members and salaries."
    strings:
        $package = "EncryptedPackage" wide
        $info = "EncryptionInfo" wide
    condition:
        uint32be(0) == 0xD0CF11E0 and all of them
}
