using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;
using Weft.Proxy.Config.Inspection;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Telemetry;
using Weft.Proxy.Telemetry.Access;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Mesh.Inspection;

/// <summary>From a record, which is numbers, to what a person wants to know of it: who an address is comes from the newest view.</summary>
/// <param name="node">This one's name.</param>
internal sealed class RequestObserver(InternTable<string> names, string node, Func<MeshView> view)
{
    public ObservedRequest Observe(JournalEntry entry)
    {
        ref readonly var record = ref entry.Record;
        var listener = names[record.Listener];
        var side = listener switch { "inbound" => "in", "outbound" => "out", _ => "door" };
        var endpoint = record.TryCount > 0 && IPEndPoint.TryParse(names[record.Tries[record.TryCount - 1].Endpoint], out var last) ? last : null;
        var workload = endpoint is null ? null : WorkloadOf(endpoint.Address);
        var source = Source(record, side);
        return new ObservedRequest
        {
            Time = DateTimeOffset.UnixEpoch.AddMicroseconds(record.StartMicroseconds), Node = node, Side = side, Source = source, Destination = Destination(record, side, endpoint, workload),
            Method = Text(entry.Method), Authority = Text(entry.Authority), Path = Text(entry.Path),
            Protocol = record.HttpVersion switch { 1 => "TCP", 10 => "HTTP/1.0", 20 => "HTTP/2", _ => "HTTP/1.1" },
            Status = record.Status, GrpcStatus = record.GrpcStatus >= 0 ? record.GrpcStatus : null,
            Flags = record.Flags == ResponseFlags.None ? [] : ResponseFlagText.Of(record.Flags).Split(','), Detail = Name(record.Detail),
            Milliseconds = record.DurationMicroseconds / 1000.0, UpstreamMilliseconds = record.UpstreamMicroseconds < 0 ? null : record.UpstreamMicroseconds / 1000.0,
            BytesReceived = record.RequestBytes, BytesSent = record.ResponseBytes,
            RequestId = entry.RequestId.IsEmpty ? null : Text(entry.RequestId), TraceId = record.TraceId == UInt128.Zero ? null : record.TraceId.ToString("x32", CultureInfo.InvariantCulture),
            VirtualHost = Name(record.VirtualHost), Cluster = Name(record.Cluster),
            // Where it is received there is one way alone, to the pod.
            Route = side == "in" ? null : Name(record.Route), Policy = Name(record.Policy), PolicyRule = record.Policy != 0 && record.PolicyRule >= 0 ? record.PolicyRule : null,
            DryRunPolicy = Name(record.DryRunPolicy), Security = Security(record, side, source, endpoint, workload), Tries = Tries(record),
        };
    }

    private ObservedPeer Source(in AccessRecord record, string side)
    {
        var address = Address(record.ClientAddress);
        var peer = new ObservedPeer { Address = FormattableString.Invariant($"{address}:{record.ClientPort}"), Identity = Name(record.Identity) };
        if (side == "door")
            return peer;
        // Who it was at the time, by its registration or its certificate. The address may be somebody else's now, and its namespace decides who may read this.
        if (names[record.Source].Split('/') is [var ns, var pod])
            return peer with { Namespace = ns, Pod = pod, Workload = WorkloadOf(address) is { } own && own.Unit.Namespace == ns && own.Name == pod ? own.Labels.Workload : pod };
        // spiffe://DOMAIN/ns/NAMESPACE/sa/ACCOUNT
        if (peer.Identity?.Split('/') is not [_, _, _, "ns", var account, "sa", _])
            return peer;
        return WorkloadOf(address) is { } remote && remote.Unit.Identity == peer.Identity
            ? peer with { Namespace = account, Pod = remote.Name, Workload = remote.Labels.Workload }
            : peer with { Namespace = account };
    }

    private ObservedPeer Destination(in AccessRecord record, string side, IPEndPoint? endpoint, MeshWorkload? workload)
    {
        var called = names[record.Service];
        if (side == "in" && called.Split('/') is [var ns, var pod])
        {
            var own = WorkloadOf(Address(record.LocalAddress));
            return new ObservedPeer { Namespace = ns, Pod = pod, Workload = own?.Name == pod ? own.Labels.Workload : pod, Address = FormattableString.Invariant($"{Address(record.LocalAddress)}:{record.LocalPort}") };
        }

        var host = called.Length == 0 ? WorkloadNames.HostOf(names[record.Cluster]) : IPAddress.TryParse(called, out var meant) && view().HostOf(new(meant.Plain(), record.LocalPort)) is { } owner ? owner.Name : called;
        var of = WorkloadNames.IsService(host) ? host.Split('.')[1] : null;
        var known = workload is not null && workload.Unit.Namespace == of ? workload : null;
        return new ObservedPeer { Host = host.Length > 0 ? host : null, Address = endpoint?.ToString(), Pod = known?.Name, Workload = known?.Labels.Workload, Namespace = of };
    }

    private string? Security(in AccessRecord record, string side, ObservedPeer source, IPEndPoint? endpoint, MeshWorkload? workload)
    {
        if (side == "in")
            return source.Identity is null ? "plain" : WorkloadOf(Address(record.ClientAddress))?.Unit.Node == node ? "local" : "mtls";
        if (endpoint is null)
            return null;
        if (record.UpstreamTls)
            return "tls";
        if (workload is not { IsMeshed: true })
            return "plain";
        if (workload.Unit.Node == node)
            return "local";
        return workload.ModeOf(endpoint.Port) != MutualTls.Disable && (side == "door" || source.Identity is not null) ? "mtls" : "plain";
    }

    private ObservedTry[] Tries(in AccessRecord record)
    {
        var tries = new ObservedTry[record.TryCount];
        for (var i = 0; i < tries.Length; i++)
        {
            var one = record.Tries[i];
            tries[i] = new ObservedTry(names[one.Endpoint], Encoding.ASCII.GetString(AccessJson.OutcomeText(one.Outcome)), one.Status == 0 ? null : one.Status, one.Microseconds / 1000.0);
        }

        return tries;
    }

    private MeshWorkload? WorkloadOf(IPAddress address) => view().WorkloadOf(address.Plain(), null);

    private string? Name(int number) => number != 0 && names[number] is { Length: > 0 } name ? name : null;

    private static IPAddress Address(UInt128 number)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        return new IPAddress(bytes).Plain();
    }

    // What is not printable is the client's to write and a terminal's to obey.
    private static string Text(ReadOnlySpan<byte> bytes)
    {
        var text = Encoding.UTF8.GetString(bytes);
        return text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '\uFFFD' : c)) : text;
    }
}
