using Weft.Balancing;
using Weft.Proxy.Http;

namespace Weft.Proxy.Telemetry.Tracing;

/// <summary>How a listener traces.</summary>
/// <param name="SampledPerMillion">Of requests whose sender has not decided. Istio's default is 1 %: 10,000.</param>
/// <param name="TrustDecision">The sender's decision counts. Off where anybody can send: a stranger must not fill the collector.</param>
/// <param name="Propagate">The forms that are sent on.</param>
internal sealed record TracingSettings(int SampledPerMillion = 10_000, bool TrustDecision = true, TracePropagation Propagate = TracePropagation.W3C | TracePropagation.B3);

[Flags]
internal enum TracePropagation { None = 0, W3C = 1, B3 = 2, B3Multi = 4 }

/// <summary>This proxy's part in a trace: reads the sender's context, becomes a span of it, and tells the endpoint.</summary>
internal static class Tracer
{
    /// <summary>The span of this request; its parent is the sender's span, or 0.</summary>
    public static TraceSpan Begin(HeaderList headers, TracingSettings settings, ref Rng rng)
    {
        TraceContext sent = default;
        var has = headers.TryGet(KnownHeader.Traceparent, out var value) && W3CTrace.TryRead(value, out sent);
        has = has || B3Trace.TryRead(headers, out sent);
        var known = has && !sent.IsEmpty;
        var trace = known ? sent.TraceId : new UInt128(NonZero(ref rng), NonZero(ref rng));
        var sampled = has && settings.TrustDecision && sent.Sampled is { } decided ? decided : rng.Below(1_000_000) < settings.SampledPerMillion;
        return new TraceSpan(new TraceContext(trace, NonZero(ref rng), sampled), known ? sent.SpanId : 0);
    }

    /// <summary>Replaces what the sender said. `tracestate` passes as it is; it belongs to a trace that W3C carries, so without one it goes.</summary>
    public static void Propagate(in TraceContext context, bool begun, HeaderList headers, TracingSettings settings)
    {
        headers.Remove("traceparent"u8);
        headers.Remove("b3"u8);
        headers.Remove("x-b3-traceid"u8);
        headers.Remove("x-b3-spanid"u8);
        headers.Remove("x-b3-parentspanid"u8);
        headers.Remove("x-b3-sampled"u8);
        headers.Remove("x-b3-flags"u8);
        if (begun)
            headers.Remove("tracestate"u8);
        Span<byte> text = stackalloc byte[W3CTrace.Length];
        if (settings.Propagate.HasFlag(TracePropagation.W3C))
        {
            W3CTrace.Write(context, text);
            headers.Add("traceparent"u8, text[..W3CTrace.Length]);
        }

        if (settings.Propagate.HasFlag(TracePropagation.B3))
        {
            B3Trace.WriteSingle(context, text);
            headers.Add("b3"u8, text[..B3Trace.SingleLength]);
        }

        if (settings.Propagate.HasFlag(TracePropagation.B3Multi))
        {
            Hex.Write(context.TraceId, text[..32]);
            headers.Add("x-b3-traceid"u8, text[..32]);
            Hex.Write(context.SpanId, text[..16]);
            headers.Add("x-b3-spanid"u8, text[..16]);
            headers.Add("x-b3-sampled"u8, context.Sampled == true ? "1"u8 : "0"u8);
        }
    }

    /// <summary>An id.</summary>
    public static ulong NonZero(ref Rng rng)
    {
        var number = rng.Next();
        return number == 0 ? 1 : number;
    }
}

/// <param name="Parent">The sender's span; 0: this proxy begins the trace.</param>
internal readonly record struct TraceSpan(TraceContext Context, ulong Parent)
{
    public bool Begun => Parent == 0;
}
