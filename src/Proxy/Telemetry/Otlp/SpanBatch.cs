using Weft.Proxy.Telemetry.Access;
using Weft.Proxy.Telemetry.Workloads;

namespace Weft.Proxy.Telemetry.Otlp;

/// <summary>Spans that wait to be sent together, by whose they are. A repeated field of protobuf is as it is when its messages are put one after the other, so each resource is encoded by itself.</summary>
/// <param name="most">Spans of one message.</param>
internal sealed class SpanBatch(InternTable<string> names, SpanSources sources, SpanResource own, int most)
{
    private Dictionary<SpanResource, SpanEncoder> _byResource = [];

    public int Count { get; private set; }

    public bool IsFull => Count >= most;

    public void Add(in AccessRecord record, in AccessTexts texts)
    {
        var source = record.Spans == 0 ? null : sources[record.Spans];
        var resource = source?.Resource ?? own;
        if (!_byResource.TryGetValue(resource, out var encoder))
            _byResource.Add(resource, encoder = new SpanEncoder(names, resource));
        var before = encoder.Count;
        encoder.Add(record, texts, source);
        Count += encoder.Count - before;
    }

    /// <summary>One ExportTraceServiceRequest with all that was added; begins anew.</summary>
    public byte[] Take()
    {
        byte[] message = [.. _byResource.Values.SelectMany(encoder => encoder.Take())];
        // Workloads come and go.
        (_byResource, Count) = ([], 0);
        return message;
    }
}
