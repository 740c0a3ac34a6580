using System.Text;
using Weft.Proxy.Http;

namespace Weft.Proxy.Http2.Hpack;

/// <summary>RFC 7541 appendix A.</summary>
internal static class StaticTable
{
    public const int Count = 61;

    // The numbers that the encoder names.
    public const int Authority = 1, MethodGet = 2, MethodPost = 3, PathRoot = 4, PathIndex = 5, SchemeHttp = 6, SchemeHttps = 7, Status200 = 8, AcceptEncodingGzip = 16, ContentLength = 28;

    private static readonly Entry[] Entries =
    [
        default, new(":authority"), new(":method", "GET"), new(":method", "POST"), new(":path", "/"), new(":path", "/index.html"), new(":scheme", "http"),
        new(":scheme", "https"), new(":status", "200"), new(":status", "204"), new(":status", "206"), new(":status", "304"), new(":status", "400"),
        new(":status", "404"), new(":status", "500"), new("accept-charset"), new("accept-encoding", "gzip, deflate"), new("accept-language"),
        new("accept-ranges"), new("accept"), new("access-control-allow-origin"), new("age"), new("allow"), new("authorization"), new("cache-control"),
        new("content-disposition"), new("content-encoding"), new("content-language"), new("content-length"), new("content-location"), new("content-range"),
        new("content-type"), new("cookie"), new("date"), new("etag"), new("expect"), new("expires"), new("from"), new("host"), new("if-match"),
        new("if-modified-since"), new("if-none-match"), new("if-range"), new("if-unmodified-since"), new("last-modified"), new("link"), new("location"),
        new("max-forwards"), new("proxy-authenticate"), new("proxy-authorization"), new("range"), new("referer"), new("refresh"), new("retry-after"),
        new("server"), new("set-cookie"), new("strict-transport-security"), new("transfer-encoding"), new("user-agent"), new("vary"), new("via"),
        new("www-authenticate"),
    ];

    private static readonly byte[] ByKnown = new byte[64];
    private static readonly byte[][] UnknownByLength = new byte[32][];

    static StaticTable()
    {
        for (var length = 0; length < UnknownByLength.Length; length++)
            UnknownByLength[length] = [.. Enumerable.Range(15, Count - 14).Where(i => Entries[i].Name.Length == length && Entries[i].Info.Known == KnownHeader.None).Select(i => (byte)i)];
        for (var i = Count; i >= 15; i--)
            ByKnown[(int)Entries[i].Info.Known] = (byte)i;
        ByKnown[(int)KnownHeader.None] = 0;
    }

    public static ReadOnlySpan<byte> Name(int index) => Entries[index].Name;

    public static ReadOnlySpan<byte> Value(int index) => Entries[index].Value;

    public static FieldInfo Info(int index) => Entries[index].Info;

    /// <summary>The first entry of a regular field's name; 0: none.</summary>
    public static int Find(ReadOnlySpan<byte> name, KnownHeader known)
    {
        if (known != KnownHeader.None)
            return ByKnown[(int)known];
        if (name.Length < UnknownByLength.Length)
        {
            foreach (var index in UnknownByLength[name.Length])
            {
                if (name.SequenceEqual(Entries[index].Name))
                    return index;
            }
        }

        return 0;
    }

    private readonly struct Entry(string name, string value = "")
    {
        public byte[] Name { get; } = Encoding.ASCII.GetBytes(name);

        public byte[] Value { get; } = Encoding.ASCII.GetBytes(value);

        public FieldInfo Info { get; } = FieldInfo.Of(Encoding.ASCII.GetBytes(name), Encoding.ASCII.GetBytes(value));
    }
}
