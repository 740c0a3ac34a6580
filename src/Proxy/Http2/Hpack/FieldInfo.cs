using Weft.Proxy.Http;

namespace Weft.Proxy.Http2.Hpack;

/// <summary>What a field name is. Worked out once for each literal, and kept with an entry of the table.</summary>
internal enum FieldKind : byte
{
    Regular,
    Authority,
    Method,
    Path,
    Protocol,
    Scheme,
    Status,
    /// <summary>No field name (upper case, a space, a control), or a pseudo-header that nobody has defined: the message is malformed (RFC 9113 section 8.2.1, 8.3).</summary>
    Invalid,
}

/// <param name="IsValueValid">No control but the tab, and no space at either end (RFC 9113 section 8.2.1).</param>
internal readonly record struct FieldInfo(FieldKind Kind, KnownHeader Known, bool IsValueValid)
{
    public static FieldInfo Of(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => OfName(name).WithValue(value);

    public FieldInfo WithValue(ReadOnlySpan<byte> value) => this with { IsValueValid = IsValue(value) };

    public static FieldInfo OfName(ReadOnlySpan<byte> name)
    {
        if (name is [(byte)':', ..])
            return new(Pseudo(name), KnownHeader.None, true);
        return HttpCharacters.IsToken(name) && !name.ContainsAnyInRange((byte)'A', (byte)'Z')
            ? new(FieldKind.Regular, KnownHeaders.Find(name), true)
            : new(FieldKind.Invalid, KnownHeader.None, true);
    }

    private static bool IsValue(ReadOnlySpan<byte> value) =>
        value.IsEmpty || (value[0] is not ((byte)' ' or (byte)'\t') && value[^1] is not ((byte)' ' or (byte)'\t') && !value.ContainsAny(HttpCharacters.Forbidden));

    private static FieldKind Pseudo(ReadOnlySpan<byte> name) => name.Length switch
    {
        5 => name.SequenceEqual(":path"u8) ? FieldKind.Path : FieldKind.Invalid,
        7 when name.SequenceEqual(":method"u8) => FieldKind.Method,
        7 when name.SequenceEqual(":scheme"u8) => FieldKind.Scheme,
        7 when name.SequenceEqual(":status"u8) => FieldKind.Status,
        9 => name.SequenceEqual(":protocol"u8) ? FieldKind.Protocol : FieldKind.Invalid,
        10 => name.SequenceEqual(":authority"u8) ? FieldKind.Authority : FieldKind.Invalid,
        _ => FieldKind.Invalid,
    };
}
