using Weft.Proxy.Http;

namespace Weft.Proxy.Telemetry.Tracing;

/// <summary>The B3 fields of Zipkin (openzipkin/b3-propagation): one field `b3`, or one for each part.</summary>
internal static class B3Trace
{
    /// <summary>`{trace}-{span}-{sampled}`, 32 + 1 + 16 + 2.</summary>
    public const int SingleLength = 51;

    /// <summary>The single field wins over the several, as the specification asks. What holds a decision alone gives a context without ids.</summary>
    public static bool TryRead(HeaderList headers, out TraceContext context)
    {
        if (headers.TryGet(KnownHeader.B3, out var single))
            return TryReadSingle(single, out context);
        context = default;
        bool? sampled = headers.TryGet(KnownHeader.XB3Flags, out var debug) && debug.SequenceEqual("1"u8) ? true
            : headers.TryGet(KnownHeader.XB3Sampled, out var decision) ? Decision(decision) : null;
        if (headers.TryGet(KnownHeader.XB3Traceid, out var traceText) && headers.TryGet(KnownHeader.XB3Spanid, out var spanText) && Ids(traceText, spanText, out var trace, out var span))
            context = new TraceContext(trace, span, sampled);
        else
            context = new TraceContext(0, 0, sampled);
        return !context.IsEmpty || sampled is not null;
    }

    public static bool TryReadSingle(ReadOnlySpan<byte> value, out TraceContext context)
    {
        context = default;
        var first = value.IndexOf((byte)'-');
        if (first < 0)
        {
            context = new TraceContext(0, 0, Decision(value));
            return context.Sampled is not null;
        }

        var rest = value[(first + 1)..];
        var second = rest.IndexOf((byte)'-');
        var spanText = second < 0 ? rest : rest[..second];
        if (!Ids(value[..first], spanText, out var trace, out var span))
            return false;
        // A fourth part, the parent's span, says nothing to a proxy.
        var decision = second < 0 ? default : rest[(second + 1)..];
        var third = decision.IndexOf((byte)'-');
        context = new TraceContext(trace, span, Decision(third < 0 ? decision : decision[..third]));
        return true;
    }

    /// <param name="to">At least <see cref="SingleLength"/> bytes.</param>
    public static void WriteSingle(in TraceContext context, Span<byte> to)
    {
        Hex.Write(context.TraceId, to[..32]);
        to[32] = (byte)'-';
        Hex.Write(context.SpanId, to[33..49]);
        (context.Sampled == true ? "-1"u8 : "-0"u8).CopyTo(to[49..]);
    }

    /// <summary>Trace ids of 64 bits are allowed; spans always have 64.</summary>
    private static bool Ids(ReadOnlySpan<byte> traceText, ReadOnlySpan<byte> spanText, out UInt128 trace, out ulong span)
    {
        span = 0;
        trace = 0;
        return traceText.Length is 16 or 32 && spanText.Length == 16 && Hex.TryRead(traceText, true, out trace) && Hex.TryRead(spanText, true, out span) && trace != 0 && span != 0;
    }

    private static bool? Decision(ReadOnlySpan<byte> value) => value switch
    {
        [(byte)'1'] or [(byte)'d'] => true,
        [(byte)'0'] => false,
        _ => value.SequenceEqual("true"u8) ? true : value.SequenceEqual("false"u8) ? false : null,
    };
}
