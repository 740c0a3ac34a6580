using System.Formats.Tar;
using System.Text;
using Weft.Cli.Images.Archives;
using Weft.Testing;

namespace Weft.Cli.Tests.Images;

public sealed class TarIndexTests
{
    public static TheoryData<string, byte[]> Tricks => new()
    {
        { "leads out", new TarBytes().Add("../../etc/passwd").End() },
        { "leads out", new TarBytes().Add("/etc/passwd").End() },
        { "leads out", new TarBytes().Add("a/../../b").End() },
        { "leads out", new TarBytes().Add("l", kind: '2', link: "../../etc/shadow").End() },
        { "leads out", new TarBytes().Add("l", kind: '1', link: "../index.json").End() },
        { "leads out", new TarBytes().Add("PaxHeader", TarBytes.Pax("path", "/etc/passwd"), 'x').Add("harmless").End() },
        { "leads out", new TarBytes().Add("././@LongLink", "../../etc/passwd\0"u8.ToArray(), 'L').Add("harmless").End() },
        { "twice", new TarBytes().Add("index.json", "{}"u8.ToArray()).Add("./index.json", "[]"u8.ToArray()).End() },
        { "no file, directory or link", new TarBytes().Add("dev/sda", kind: '4').End() },
        { "no file, directory or link", new TarBytes().Add("dev/tty", kind: '3').End() },
        { "no file, directory or link", new TarBytes().Add("fifo", kind: '6').End() },
        { "sparse", new TarBytes().Add("sparse", kind: 'S').End() },
        { "sparse", new TarBytes().Add("PaxHeader", TarBytes.Pax("GNU.sparse.realsize", "99999999999999"), 'x').Add("a").End() },
        { "cut short", new TarBytes().Add("big", size: "77777777777").End() },
        { "cut short", new TarBytes().Add("PaxHeader", TarBytes.Pax("size", "9223372036854775807"), 'x').Add("a").End() },
        { "cut short", new TarBytes().Add("a", new byte[600]).WithoutEnd()[..1000] },
        { "no size", new TarBytes().Add("a", size: "0000000008x").End() },
        { "no size that could be", new TarBytes().Add("a", change: header => header.AsSpan(124, 12).Fill(0xFF)).End() },
        { "no size that could be", new TarBytes().Add("a", change: header => { header.AsSpan(124, 12).Fill(0xFF); header[124] = 0x80; }).End() },
        { "the limit", new TarBytes().Add("PaxHeader", new byte[70_000], 'x').Add("a").End() },
        { "the limit", new TarBytes().Add("././@LongLink", new byte[5000], 'L').Add("a").End() },
        { "extended header", new TarBytes().Add("PaxHeader", "999 path=x\n"u8.ToArray(), 'x').Add("a").End() },
        { "extended header", new TarBytes().Add("PaxHeader", "3 path=x\n"u8.ToArray(), 'x').Add("a").End() },
        { "no tar", new byte[2048].Select((_, i) => (byte)i).ToArray() },
        { "no tar", "{}"u8.ToArray() },
        { "empty", new byte[1024] },
        { "damaged", [.. new TarBytes().Add("a").WithoutEnd(), .. new byte[511], 1] },
    };

    [Theory]
    [MemberData(nameof(Tricks))]
    public void Refuses_what_an_image_archive_has_no_use_for(string because, byte[] tar)
    {
        var refusal = Assert.Throws<ArchiveException>(() => TarIndex.Read(new MemoryStream(tar)));
        Assert.Contains(because, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Follows_links_within_the_archive_and_no_circle()
    {
        var index = TarIndex.Read(new MemoryStream(new TarBytes()
            .Add("one/layer.tar", "content"u8.ToArray()).Add("two/layer.tar", kind: '2', link: "../one/layer.tar").Add("three", kind: '1', link: "two/layer.tar")
            .Add("x", kind: '2', link: "y").Add("y", kind: '2', link: "x").End()));
        Assert.Equal((512, 7), index.Find("two/layer.tar"));
        Assert.Equal((512, 7), index.Find("three"));
        Assert.Null(index.Find("absent"));
        Assert.Contains("circle", Assert.Throws<ArchiveException>(() => index.Find("x")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TarEntryFormat.Ustar)]
    [InlineData(TarEntryFormat.Pax)]
    [InlineData(TarEntryFormat.Gnu)]
    public void Reads_what_other_writers_write(TarEntryFormat format)
    {
        var tar = new MemoryStream();
        var deep = string.Join('/', Enumerable.Repeat("a-name-of-twenty-chars", format == TarEntryFormat.Ustar ? 7 : 12)) + "/file";
        using (var writer = new TarWriter(tar, format, leaveOpen: true))
        {
            foreach (var name in new[] { "blobs/sha256/", deep, "last" })
            {
                var kind = name.EndsWith('/') ? TarEntryType.Directory : TarEntryType.RegularFile;
                TarEntry entry = format switch
                {
                    TarEntryFormat.Ustar => new UstarTarEntry(kind, name),
                    TarEntryFormat.Pax => new PaxTarEntry(kind, name),
                    _ => new GnuTarEntry(kind, name),
                };
                if (kind == TarEntryType.RegularFile)
                    entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(name));
                writer.WriteEntry(entry);
            }
        }

        tar.Position = 0;
        var index = TarIndex.Read(tar);
        foreach (var name in new[] { deep, "last" })
        {
            var (offset, length) = index.Find(name)!.Value;
            Assert.Equal(name, Encoding.UTF8.GetString(tar.ToArray(), (int)offset, (int)length));
        }
    }

    [Fact]
    public void Any_change_of_a_byte_is_read_or_refused_in_a_sentence()
    {
        var good = new TarBytes().Add("././@LongLink", "a/long/name\0"u8.ToArray(), 'L').Add("x", new byte[700]).Add("PaxHeader", TarBytes.Pax("path", "b"), 'x').Add("y", "z"u8.ToArray())
            .Add("l", kind: '2', link: "b").End();
        var random = Seeded.Random(20261121);
        for (var round = 0; round < 3000; round++)
        {
            var bad = (byte[])good.Clone();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
                bad[random.Next(bad.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0)
                bad = bad[..random.Next(bad.Length)];
            try
            {
                var index = TarIndex.Read(new MemoryStream(bad));
                index.Find("l");
            }
            catch (ArchiveException)
            {
                // Anything else fails the test.
            }
        }
    }
}
