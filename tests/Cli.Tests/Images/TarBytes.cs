using System.Text;

namespace Weft.Cli.Tests.Images;

/// <summary>Tars by hand: also those that no tool would write.</summary>
internal sealed class TarBytes
{
    private readonly MemoryStream _bytes = new();

    internal TarBytes Add(string name, byte[]? content = null, char kind = '0', string link = "", string? size = null, Action<byte[]>? change = null)
    {
        content ??= [];
        var header = new byte[512];
        Put(header, 0, name);
        Put(header, 100, "0000644\0");
        Put(header, 124, size ?? Convert.ToString(content.Length, 8).PadLeft(11, '0'));
        Put(header, 136, "00000000000");
        header[156] = (byte)kind;
        Put(header, 157, link);
        Put(header, 257, "ustar\0" + "00");
        change?.Invoke(header);
        Put(header, 148, "        ");
        Put(header, 148, Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0') + "\0 ");
        _bytes.Write(header);
        _bytes.Write(content);
        _bytes.Write(new byte[(512 - content.Length % 512) % 512]);
        return this;
    }

    internal byte[] End()
    {
        _bytes.Write(new byte[1024]);
        return _bytes.ToArray();
    }

    internal byte[] WithoutEnd() => _bytes.ToArray();

    internal static byte[] Pax(string key, string value)
    {
        var record = $" {key}={value}\n";
        var length = Encoding.UTF8.GetByteCount(record);
        var digits = (length + (length + 2).ToString().Length).ToString();
        return Encoding.UTF8.GetBytes(digits + record);
    }

    private static void Put(byte[] header, int at, string text) => Encoding.Latin1.GetBytes(text).CopyTo(header, at);
}
