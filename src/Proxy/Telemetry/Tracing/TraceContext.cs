namespace Weft.Proxy.Telemetry.Tracing;

/// <summary>Which trace a request belongs to, by number. <see cref="default"/>: none.</summary>
/// <param name="Sampled">Whether spans are to be recorded; null: whoever sent it has not decided.</param>
internal readonly record struct TraceContext(UInt128 TraceId, ulong SpanId, bool? Sampled)
{
    public bool IsEmpty => TraceId == UInt128.Zero || SpanId == 0;
}
