using System.Net;
using System.Text;
using Weft.Balancing;
using Weft.Balancing.Health;
using Weft.Balancing.Localities;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Inspection;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Routing;
using Weft.Proxy.Transport;
using Weft.Proxy.Upstream.Clusters;

namespace Weft.Proxy.Mesh.Inspection.Explaining;

/// <summary>What the explanations ask: the configuration, and of a proxy that runs what it knows of endpoints.</summary>
/// <param name="Live">Null: no proxy runs by this configuration.</param>
internal sealed record ExplainerParts(MeshState State, string Node, string TrustDomain, IMeshPaths Paths, IReadOnlyDictionary<string, Cluster>? Live, IPAddress? DoorAddress);

/// <summary>Who may get a request, how each stands, by which way it is reached, and what its own side says.</summary>
/// <param name="client">As the sending proxy knows it; its way is chosen by that. Null: nobody's proxy sends it, it comes as it is.</param>
/// <param name="address">That the receiving side sees.</param>
/// <param name="request">As the endpoint sees it; null: bytes.</param>
internal sealed class EndpointJudge(ExplainerParts parts, ExplanationDraft draft, ConnectionFacts? client, IPAddress address, string? identity, RequestFacts? request, ImaginedIdentity? token)
{
    /// <summary>Of all endpoints of the cluster; a judgement for each of those that could be chosen.</summary>
    public IReadOnlyList<Judgement> Judge(MeshCluster cluster, string? subset)
    {
        var judgements = new List<Judgement>();
        foreach (var (endpoint, health) in Endpoints(cluster, subset))
        {
            var (security, shown) = Way(endpoint, cluster.Tls, cluster.Config.Tls is not null);
            var workload = parts.State.View.WorkloadOf(endpoint.Address.Address.Plain(), null);
            var verdict = Inbound(endpoint, workload, security, shown);
            draft.Endpoints.Add(new ExplainedEndpoint
            {
                Address = endpoint.Key, Cluster = cluster.Config.Name, Workload = workload?.Key, Node = workload?.Unit.Node, Locality = Text(endpoint.Config.Locality), Weight = endpoint.Config.Weight,
                Priority = endpoint.Config.Priority, Health = health, Active = parts.Live is null ? null : endpoint.State.Active, Security = security, Verdict = verdict.Text,
            });
            if (health is "healthy" or "unknown")
                judgements.Add(verdict);
        }

        return judgements;
    }

    private IEnumerable<(UpstreamEndpoint Endpoint, string Health)> Endpoints(MeshCluster cluster, string? subset)
    {
        // Of a cluster that sends to whatever address was meant, the one that is asked about is known here alone.
        if (parts.Live?.GetValueOrDefault(cluster.Config.Name) is { Originals: null } live)
        {
            var chosen = live.Table(subset).Endpoints.ToArray();
            return live.Describe().Where(one => subset is null || chosen.Contains(one.Endpoint)).Select(one => (one.Endpoint, Health(one.Endpoint, one.Health, one.Reason)));
        }

        return cluster.Config.Endpoints.Where(one => IPAddress.TryParse(one.Address, out _))
            .Select(one => (new UpstreamEndpoint(one, new IPEndPoint(IPAddress.Parse(one.Address), one.Port), 1, 0), one.Draining ? "draining" : "unknown"));
    }

    private (string Security, string? Identity) Way(UpstreamEndpoint endpoint, MeshTls tls, bool ownTls)
    {
        if (client is null)
            return ("plain", null);
        if (ownTls)
            return ("tls", null);
        var isHere = parts.State.View.WorkloadOf(endpoint.Address.Address.Plain(), null) is { IsMeshed: true } workload && workload.Unit.Node == parts.Node;
        return parts.Paths.Of(endpoint, client, tls) switch
        {
            { Kind: MeshPathKind.Connector } => ("mtls", identity),
            { Kind: MeshPathKind.Inbound } => ("local", identity),
            { Kind: MeshPathKind.Refused } => ("none", null),
            _ => isHere ? ("local", identity) : ("plain", null),
        };
    }

    private Judgement Inbound(UpstreamEndpoint endpoint, MeshWorkload? workload, string security, string? shown)
    {
        if (security == "none")
            return new(false, 503, "refused: mutual TLS is demanded (ISTIO_MUTUAL), and there is none to it", false, []);
        if (workload is not { IsMeshed: true })
            return new(true, null, "not in the mesh: nothing is asked there", false, []);
        draft.Uses(UnitKind.Workload, workload.Key);
        foreach (var policy in workload.Unit.Policies)
            draft.Uses(UnitKind.Policy, policy);
        foreach (var tokens in workload.Unit.Tokens)
            draft.Uses(UnitKind.Tokens, tokens);
        var mode = workload.ModeOf(endpoint.Address.Port);
        if (shown is null && mode == MutualTls.Strict)
            return new(false, null, "refused: mutual TLS alone is taken there (STRICT), and this comes without", false, []);
        var facts = new ConnectionFacts { Source = new IPEndPoint(address, 0), Destination = endpoint.Address, IsTrustedProxy = shown is not null };
        if (shown is not null)
            facts = ConnectionFacts.WithIdentity(facts, shown);
        var filters = parts.State.Filters(workload.Unit.Policies, workload.Unit.Tokens);
        var seen = request is null ? null : AsReceived(request, facts);
        var judgement = PolicyJudge.Of(filters, facts, seen, token, parts.State);
        return judgement with { Why = [$"mutual TLS of {workload.Key}: {mode.ToString().ToUpperInvariant()}; this comes {(shown is null ? "without" : $"as {shown}")}", .. judgement.Why] };
    }

    // The receiving side reads the request anew, with what the route has made of it.
    private static RequestFacts AsReceived(RequestFacts sent, ConnectionFacts facts)
    {
        var seen = new RequestFacts { Connection = facts, ClientAddress = facts.Source.Address };
        seen.Head.Method = sent.Head.Method;
        seen.Head.Scheme = sent.Head.Scheme;
        seen.Head.Authority = sent.Head.Authority;
        seen.Head.Target = sent.Head.Target;
        for (var i = 0; i < sent.Head.Headers.Count; i++)
            seen.Head.Headers.Add(sent.Head.Headers.Name(i), sent.Head.Headers.Value(i));
        return seen.Normalize(MeshListeners.Inbound.Http.Path) is null ? seen : sent;
    }

    private static string Health(UpstreamEndpoint endpoint, EndpointHealth health, EjectionReason reason) => health switch
    {
        EndpointHealth.Healthy => "healthy",
        EndpointHealth.Draining => "draining",
        _ => reason != EjectionReason.None ? $"ejected ({Words(reason)})" : endpoint.Checked == false ? "failed its checks" : "unhealthy",
    };

    private static string Words(EjectionReason reason) => reason switch
    {
        EjectionReason.Consecutive5xx => "consecutive 5xx",
        EjectionReason.ConsecutiveGatewayErrors => "consecutive gateway errors",
        EjectionReason.ConsecutiveLocalErrors => "consecutive connection errors",
        EjectionReason.SuccessRate => "success rate",
        _ => reason.ToString().ToLowerInvariant(),
    };

    private static string? Text(Locality locality) => locality.Region is null ? null : string.Join('/', new[] { locality.Region, locality.Zone, locality.Subzone }.Where(part => !string.IsNullOrEmpty(part)));
}
