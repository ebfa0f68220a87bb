// Content that is not what the name says, or that stands behind something else.

rule archive_behind_picture {
    meta:
        description = "an archive directly behind the end of a picture: the file opens as both"
        severity = 4
        category = "steganography"
        innocent = "A few programs and web games store their data so; the picture may be a preview."
    strings:
        $jpeg_zip = { FF D9 50 4B 03 04 }
        $jpeg_rar = { FF D9 52 61 72 21 1A 07 }
        $jpeg_7z = { FF D9 37 7A BC AF 27 1C }
        $png_zip = { 49 45 4E 44 AE 42 60 82 50 4B 03 04 }
        $png_rar = { 49 45 4E 44 AE 42 60 82 52 61 72 21 1A 07 }
        $png_7z = { 49 45 4E 44 AE 42 60 82 37 7A BC AF 27 1C }
        $gif_zip = { 00 3B 50 4B 03 04 }
        $gif_rar = { 00 3B 52 61 72 21 1A 07 }
    condition:
        (uint16be(0) == 0xFFD8 and any of ($jpeg*)) or (uint32be(0) == 0x89504E47 and any of ($png*)) or (uint32be(0) == 0x47494638 and any of ($gif*))
}

rule database_called_something_else {
    meta:
        description = "an SQLite database whose name says picture, film, sound, text or program"
        severity = 3
        category = "disguise"
        innocent = "Programs give their databases any name they like; this one only looks unusual."
    condition:
        filesize >= 512 and uint32be(0) == 0x53514C69 and uint32be(4) == 0x74652066 and uint32be(8) == 0x6F726D61 and uint32be(12) == 0x74203300
        and for any ending in ("jpg", "jpeg", "png", "gif", "heic", "mp4", "avi", "mov", "mp3", "txt", "doc", "docx", "pdf", "exe", "dll") : (extension == ending)
}

rule archive_called_something_else {
    meta:
        description = "a RAR or 7-Zip archive whose name says picture, film, sound, text or program library"
        severity = 3
        category = "disguise"
        innocent = "Games and setup programs give their archives any name they like."
    condition:
        (uint32be(0) == 0x52617221 and uint16be(4) == 0x1A07 or uint32be(0) == 0x377ABCAF and uint16be(4) == 0x271C)
        and for any ending in ("jpg", "jpeg", "png", "gif", "heic", "mp4", "avi", "mov", "mp3", "txt", "doc", "docx", "pdf", "dll") : (extension == ending)
}
