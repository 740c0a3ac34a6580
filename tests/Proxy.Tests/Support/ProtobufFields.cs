namespace Weft.Proxy.Tests.Support;

/// <summary>The wire form of Protocol Buffers as a reader without a schema sees it.</summary>
internal static class ProtobufFields
{
    /// <summary>Fields of a message by number; numbers as 8 bytes.</summary>
    public static Dictionary<int, List<byte[]>> Of(byte[] message)
    {
        var fields = new Dictionary<int, List<byte[]>>();
        for (var at = 0; at < message.Length;)
        {
            var tag = Varint(message, ref at);
            var value = (tag & 7) switch
            {
                0 => BitConverter.GetBytes(Varint(message, ref at)),
                1 => Take(8),
                2 => Take((int)Varint(message, ref at)),
                _ => throw new InvalidDataException($"wire type {tag & 7}"),
            };
            if (!fields.TryGetValue((int)(tag >> 3), out var list))
                fields.Add((int)(tag >> 3), list = []);
            list.Add(value);

            byte[] Take(int length)
            {
                var part = message.AsSpan(at, length).ToArray();
                at += length;
                return part;
            }
        }

        return fields;
    }

    private static ulong Varint(byte[] message, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = message[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
    }
}
