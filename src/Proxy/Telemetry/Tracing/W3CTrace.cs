namespace Weft.Proxy.Telemetry.Tracing;

/// <summary>The field `traceparent` (W3C Trace Context, section 3.2).</summary>
internal static class W3CTrace
{
    /// <summary>`00-` 32 digits `-` 16 digits `-` 2 digits.</summary>
    public const int Length = 55;

    /// <summary>False for what the specification calls invalid: then a new trace is begun. A higher version is read as far as this one goes.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out TraceContext context)
    {
        context = default;
        if (value.Length < Length || value[2] != '-' || value[35] != '-' || value[52] != '-')
            return false;
        if (!Hex.TryRead(value[..2], false, out byte version) || version == 0xFF)
            return false;
        if (version == 0 ? value.Length != Length : value.Length > Length && value[Length] != '-')
            return false;
        if (!Hex.TryRead(value[3..35], false, out UInt128 trace) || !Hex.TryRead(value[36..52], false, out ulong span) || !Hex.TryRead(value[53..55], false, out byte flags))
            return false;
        context = new TraceContext(trace, span, (flags & 1) != 0);
        return !context.IsEmpty;
    }

    /// <param name="to">At least <see cref="Length"/> bytes.</param>
    public static void Write(in TraceContext context, Span<byte> to)
    {
        "00-"u8.CopyTo(to);
        Hex.Write(context.TraceId, to[3..35]);
        to[35] = (byte)'-';
        Hex.Write(context.SpanId, to[36..52]);
        (context.Sampled == true ? "-01"u8 : "-00"u8).CopyTo(to[52..]);
    }
}
