using System.Globalization;
using System.Text;

namespace Weft.Cli.Images.Archives;

/// <summary>
/// Where the files of a tar lie, without unpacking one: nothing of an archive becomes a path of this machine. Reads ustar, GNU long names and pax
/// (POSIX.1-2017, "pax Interchange Format"). What an image archive has no use for (devices, sparse files, names that lead out) is refused.
/// </summary>
internal sealed class TarIndex
{
    private const int Block = 512;

    // An image of 127 layers in docker's oldest form has about 500 entries.
    private const int MaxEntries = 100_000;
    private const int MaxName = 4096; // PATH_MAX
    private const int MaxHeaderRecords = 64 * 1024;
    private const int MaxLinks = 8;

    private readonly Dictionary<string, Entry> _entries = [];

    /// <param name="Target">Of a link, another name in the archive.</param>
    private sealed record Entry(long Offset, long Length, string? Target);

    private TarIndex()
    {
    }

    /// <exception cref="ArchiveException">It is no tar, is cut short, or tries a trick.</exception>
    internal static TarIndex Read(Stream tar)
    {
        var index = new TarIndex();
        var header = new byte[Block];
        string? name = null, link = null;
        long? size = null;
        var any = false;
        var seen = 0;
        while (true)
        {
            var at = tar.Position;
            var read = tar.ReadAtLeast(header, Block, throwOnEndOfStream: false);
            if (read == 0 && any)
                return index; // some writers leave out the two empty blocks of the end
            if (read < Block)
                throw Bad(any ? "the archive is cut short" : "this is no tar archive");
            if (header.AsSpan().IndexOfAnyExcept((byte)0) < 0)
                return any ? index : throw Bad("the archive is empty");
            if (!HasChecksum(header))
                throw Bad(any ? $"the archive is damaged at byte {at}" : "this is no tar archive");
            any = true;
            if (++seen > MaxEntries)
                throw Bad($"the archive has more than {MaxEntries} entries");

            var kind = (char)header[156];
            var length = kind is '1' or '2' or '5' ? 0 : size ?? Number(header.AsSpan(124, 12), at);
            if (length > tar.Length - tar.Position)
                throw Bad($"the archive is cut short: the entry at byte {at} has {length} bytes, and {tar.Length - tar.Position} follow");
            var data = tar.Position;
            switch (kind)
            {
                case 'x':
                    ReadPax(ReadText(tar, length, MaxHeaderRecords, at), ref name, ref link, ref size, at);
                    break;
                case 'g':
                    break; // remarks about all entries
                case 'L':
                    name = ReadText(tar, length, MaxName, at).TrimEnd('\0');
                    break;
                case 'K':
                    link = ReadText(tar, length, MaxName, at).TrimEnd('\0');
                    break;
                default:
                    index.Add(kind, name ?? HeaderName(header), link ?? Text(header.AsSpan(157, 100)), data, length, at);
                    (name, link, size) = (null, null, null);
                    break;
            }

            tar.Position = Math.Min(tar.Length, data + (length + Block - 1) / Block * Block);
        }
    }

    /// <summary>Where a file lies, links followed; null when it is not there.</summary>
    internal (long Offset, long Length)? Find(string name)
    {
        for (var hop = 0; hop <= MaxLinks; hop++)
        {
            if (!_entries.TryGetValue(name, out var entry))
                return null;
            if (entry.Target is not { } target)
                return (entry.Offset, entry.Length);
            name = target;
        }

        throw Bad($"'{name}' is a link in a circle");
    }

    private void Add(char kind, string name, string link, long data, long length, long at)
    {
        if (kind == '5')
        {
            Normalise(name, "");
            return;
        }

        var path = Normalise(name, "");
        var entry = kind switch
        {
            '0' or '\0' or '7' => new Entry(data, length, null),
            '1' => new Entry(0, 0, Normalise(link, "")),
            // Old docker archives have one layer once, and links to it.
            '2' => new Entry(0, 0, Normalise(link, path.LastIndexOf('/') is var slash and > 0 ? path[..slash] : "")),
            'S' => throw Bad($"'{path}' is a sparse file, which an image archive has no use for"),
            _ => throw Bad($"'{path}' at byte {at} is no file, directory or link (type '{(char.IsAsciiLetterOrDigit(kind) ? kind : '?')}')"),
        };
        if (!_entries.TryAdd(path, entry))
            throw Bad($"'{path}' is in the archive twice: which one counts would be up to the reader");
    }

    // Within the archive, as a plain path. A name that leads out of it is an attack on whoever unpacks it.
    private static string Normalise(string name, string directory)
    {
        if (name.Length > MaxName)
            throw Bad($"a name in the archive has more than {MaxName} characters");
        if (name.StartsWith('/') || name.Contains('\0'))
            throw Bad($"'{Shown(name)}' leads out of the archive");
        var parts = new List<string>(directory.Split('/', StringSplitOptions.RemoveEmptyEntries));
        var own = parts.Count;
        foreach (var part in name.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".")
                continue;
            if (part != "..")
                parts.Add(part);
            else if (parts.Count > 0 && own > 0)
                parts.RemoveAt(parts.Count - 1); // of a link: `../OTHER/layer.tar`
            else
                throw Bad($"'{Shown(name)}' leads out of the archive");
        }

        return string.Join('/', parts);
    }

    private static string HeaderName(ReadOnlySpan<byte> header)
    {
        var name = Text(header[..100]);
        // Only ustar has a prefix there; GNU's older form keeps times in its place.
        var prefix = header.Slice(257, 6).SequenceEqual("ustar\0"u8) ? Text(header.Slice(345, 155)) : "";
        return prefix.Length > 0 ? prefix + "/" + name : name;
    }

    // "LENGTH KEY=VALUE\n", the length counting the record itself, in bytes.
    private static void ReadPax(string records, ref string? name, ref string? link, ref long? size, long at)
    {
        var bytes = Encoding.UTF8.GetBytes(records);
        for (var start = 0; start < bytes.Length;)
        {
            var space = Array.IndexOf(bytes, (byte)' ', start);
            if (space < 0 || !int.TryParse(bytes.AsSpan(start, space - start), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                || length <= space - start + 1 || length > bytes.Length - start || bytes[start + length - 1] != '\n')
                throw Bad($"the archive is damaged: the extended header at byte {at} is none");
            var record = Encoding.UTF8.GetString(bytes, space + 1, start + length - space - 2);
            start += length;
            if (record.Split('=', 2) is not [var key, var value])
                throw Bad($"the archive is damaged: the extended header at byte {at} is none");
            if (key == "path")
                name = value;
            else if (key == "linkpath")
                link = value;
            else if (key == "size")
                size = long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : throw Bad($"the archive is damaged: a size of '{Shown(value)}'");
            else if (key.StartsWith("GNU.sparse.", StringComparison.Ordinal))
                throw Bad($"the entry at byte {at} is a sparse file, which an image archive has no use for");
        }
    }

    private static string ReadText(Stream tar, long length, int limit, long at)
    {
        if (length > limit)
            throw Bad($"the extended header at byte {at} has {length} bytes; {limit} are the limit");
        var bytes = new byte[length];
        tar.ReadExactly(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    // Octal digits, or, above 8 GiB, GNU's big-endian binary with the first bit set.
    private static long Number(ReadOnlySpan<byte> field, long at)
    {
        long value = 0;
        if ((field[0] & 0x80) != 0)
        {
            if (field[0] != 0x80 || field[1..4].IndexOfAnyExcept((byte)0) >= 0)
                throw Bad($"the archive is damaged: the entry at byte {at} has no size that could be");
            foreach (var part in field[4..])
                value = value << 8 | part;
            return value >= 0 ? value : throw Bad($"the archive is damaged: the entry at byte {at} has no size that could be");
        }

        foreach (var digit in Encoding.ASCII.GetString(field).Trim('\0', ' '))
            value = digit is >= '0' and <= '7' ? value << 3 | (uint)(digit - '0') : throw Bad($"the archive is damaged: the entry at byte {at} has no size");
        return value;
    }

    private static bool HasChecksum(ReadOnlySpan<byte> header)
    {
        // The sum of all bytes, its own eight counted as spaces.
        var sum = 8 * ' ';
        for (var i = 0; i < Block; i++)
            sum += i is >= 148 and < 156 ? 0 : header[i];
        var written = 0;
        foreach (var digit in Encoding.ASCII.GetString(header.Slice(148, 8)).Trim('\0', ' '))
        {
            if (digit is < '0' or > '7')
                return false;
            written = written << 3 | (digit - '0');
        }

        return written == sum;
    }

    private static string Text(ReadOnlySpan<byte> field) => Encoding.UTF8.GetString(field.IndexOf((byte)0) is var end and >= 0 ? field[..end] : field);

    private static string Shown(string name) => new([.. name.Take(80).Select(c => char.IsControl(c) ? '?' : c)]);

    private static ArchiveException Bad(string why) => new(why);
}
