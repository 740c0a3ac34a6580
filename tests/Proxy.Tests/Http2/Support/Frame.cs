using System.Buffers.Binary;
using System.Text;
using Weft.Proxy.Http2.Frames;

namespace Weft.Proxy.Tests.Http2.Support;

/// <summary>Frames as a peer writes them, right or wrong. Fields are literals without a table, so that each frame stands for itself.</summary>
internal static class Frame
{
    public static byte[] ClientPreface => [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Settings()];

    public static readonly (string, string)[] Get = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a.test")];

    public static readonly (string, string)[] Post = [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a.test")];

    public static byte[] Raw(int type, int flags, int stream, params byte[] payload)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, ((uint)payload.Length << 8) | (byte)type);
        frame[4] = (byte)flags;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(5), (uint)stream);
        payload.CopyTo(frame, 9);
        return frame;
    }

    public static byte[] Headers(int stream, bool end, params (string Name, string Value)[] fields) => Raw(1, (end ? 1 : 0) | 4, stream, Block(fields));

    public static byte[] Data(int stream, bool end, string text) => Raw(0, end ? 1 : 0, stream, Encoding.Latin1.GetBytes(text));

    public static byte[] Settings(params (int Id, uint Value)[] settings) => Raw(4, 0, 0, [.. settings.SelectMany(s => (byte[])[(byte)(s.Id >> 8), (byte)s.Id, .. Word(s.Value)])]);

    public static byte[] Reset(int stream, ErrorCode code = ErrorCode.Cancel) => Raw(3, 0, stream, Word((uint)code));

    public static byte[] WindowUpdate(int stream, uint increment) => Raw(8, 0, stream, Word(increment));

    public static byte[] Ping() => Raw(6, 0, 0, new byte[8]);

    public static byte[] GoAway(int last, ErrorCode code = ErrorCode.NoError) => Raw(7, 0, 0, [.. Word((uint)last), .. Word((uint)code)]);

    public static byte[] Word(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    public static byte[] Block(params (string Name, string Value)[] fields) => [.. fields.SelectMany(field => (byte[])[0, .. Text(field.Name), .. Text(field.Value)])];

    private static byte[] Text(string text)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        var prefix = new byte[6];
        var length = Weft.Proxy.Http2.Hpack.HpackInteger.Write(prefix, 7, 0, bytes.Length);
        return [.. prefix[..length], .. bytes];
    }
}
