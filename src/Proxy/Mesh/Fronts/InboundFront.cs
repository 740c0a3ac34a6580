using System.Net;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Filters.Authorization;
using Weft.Proxy.Forwarding;
using Weft.Proxy.Mesh.Hbone;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Routing;
using Weft.Proxy.Telemetry.Metrics;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Mesh.Fronts;

/// <summary>
/// The inbound side of one loop, however a connection came here: what its workload's mode, policies and tokens say is asked in this place alone. On the loop.
/// </summary>
internal sealed class InboundFront(MeshServing serving, MeshAcceptors acceptors) : IInboundAcceptor
{
    // As for tunnels of other nodes (HboneSettings): a pod is registered before it starts, and what holds for it may come a moment after the first who calls it.
    private const long UnknownMilliseconds = 2_000, LookMilliseconds = 20;

    /// <summary>Connections that were closed because they may not be.</summary>
    public long Refused { get; private set; }

    /// <param name="fd">Non-blocking; this front's from here on.</param>
    /// <param name="source">The workload that sends; <see cref="IPAddress.None"/>: the connection to the pod leaves with this machine's address.</param>
    /// <param name="destination">Address and port of a pod of this node.</param>
    /// <param name="identity">Who sends, verified; null: that is not known.</param>
    public void Accept(int fd, IPEndPoint source, IPEndPoint destination, string? identity)
    {
        (source, destination) = (source.Plain(), destination.Plain());
        Begin(fd, source, destination, identity, acceptors.Services.Loop.Now + UnknownMilliseconds);
    }

    private void Begin(int fd, IPEndPoint source, IPEndPoint destination, string? identity, long until)
    {
        if (serving.IsStillUnknown(destination.Address) && acceptors.Services.Loop.Now < until)
            acceptors.Later(fd, LookMilliseconds, () => Begin(fd, source, destination, identity, until));
        else
            Judge(fd, source, destination, identity, spoken: null);
    }

    /// <param name="spoken">Null: that was not waited for yet. What is waited for is judged by the rules that hold when it comes.</param>
    private void Judge(int fd, IPEndPoint source, IPEndPoint destination, string? identity, Spoken? spoken)
    {
        if (serving.WorkloadOf(destination.Address) is not { } workload || serving.RulesOf(workload) is not { } rules)
        {
            Refuse(fd);
            return;
        }

        var facts = FactsOf(rules.Workload, source, destination, identity);
        if (identity is null && workload.ModeOf(destination.Port) == MutualTls.Strict)
        {
            ConnectionRecord.Refused(acceptors.Services, facts, null, "mutual_tls_required");
            Refuse(fd);
            return;
        }

        if (!rules.WantsRequests && (rules.IsOpen || (!rules.NeedsRequests && Decide(rules, facts).Allowed)))
        {
            acceptors.Tunnel(fd, facts, MeshClusters.Inbound);
            return;
        }

        // Requests are answered; bytes of which nothing more is known are closed.
        if (spoken is null)
            acceptors.Wait(fd, told => Judge(fd, source, destination, identity, told));
        else if (spoken == Spoken.Http)
            acceptors.Http(fd, source, client => new DownstreamConnection(acceptors.Services, client.Http2 ? rules.Http2 : rules.Http1, facts, client.Http2 ? (byte)20 : (byte)11));
        else
            Bytes(fd, rules, facts);
    }

    private void Bytes(int fd, InboundRules rules, ConnectionFacts facts)
    {
        var decision = Decide(rules, facts);
        if (decision.Allowed)
        {
            acceptors.Tunnel(fd, facts, MeshClusters.Inbound);
            return;
        }

        ConnectionRecord.Refused(acceptors.Services, facts, decision.Policy, decision.Policy is null ? "policy_none_allows" : "policy_denied");
        Refuse(fd);
    }

    private static PolicyDecision Decide(InboundRules rules, ConnectionFacts facts) => rules.Policies?.Check(facts, null, null, []) ?? new PolicyDecision(true, null, -1);

    private ConnectionFacts FactsOf(MeshWorkload workload, IPEndPoint source, IPEndPoint destination, string? identity)
    {
        var mesh = new MeshConnection
        {
            Source = serving.SeenAs(source.Address, identity), Judged = workload.Key, Telemetry = serving.TelemetryOf(workload.Key).Server, Service = $"{workload.Unit.Namespace}/{workload.Name}", Destination = new DestinationLabels { Workload = workload.Labels },
        };
        // Only of somebody who is known it is believed who sent the request before.
        var facts = new ConnectionFacts { Source = source, Destination = destination, Mesh = mesh, IsTrustedProxy = identity is not null };
        return identity is null ? facts : ConnectionFacts.WithIdentity(facts, identity);
    }

    private void Refuse(int fd)
    {
        Refused++;
        acceptors.Services.Loop.Sockets.Reset(fd);
    }
}
