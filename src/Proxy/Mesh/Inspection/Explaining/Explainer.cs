using System.Net;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Inspection;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Mesh.Registration;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Routing;
using Weft.Proxy.Runtime;
using Weft.Proxy.Transport;

namespace Weft.Proxy.Mesh.Inspection.Explaining;

/// <summary>
/// What becomes of a request that nobody has sent: asked of the same tables, policies and clusters, in the order in which a request meets them. Used by one thread at a time, while nothing is applied.
/// </summary>
internal sealed class Explainer(ExplainerParts parts)
{
    private readonly ExplanationDraft _draft = new();

    public Explanation Explain(ExplainQuestion question) => question.From switch
    {
        "outside" => new DoorExplainer(parts, _draft).Explain(question),
        "host" => Uncaptured(question, IPAddress.None, "a process outside of the mesh's pods is not captured where it sends: no route, time-out or retry of the mesh holds for it"),
        _ => FromPod(question),
    };

    private Explanation FromPod(ExplainQuestion question)
    {
        var key = $"{question.Namespace}/{question.Pod}";
        var workload = parts.State.Workloads.GetValueOrDefault(key);
        var address = (question.Address ?? workload?.Unit.Addresses.FirstOrDefault()) is { } text && IPAddress.TryParse(text, out var parsed) ? parsed.Plain() : null;
        if (workload is null || address is null)
            return _draft.Stop("source", ExplainedOutcome.Unreachable, null, $"pod {key} is not known to the mesh: it has no address yet, or it has the node's (hostNetwork)");
        _draft.Uses(UnitKind.Workload, key);
        if (!workload.IsMeshed)
            return Uncaptured(question, address, $"pod {key} is not in the mesh (weft.dev/mesh: disabled, or Istio's labels, on it or its namespace): what it sends is not captured, and no route of the mesh holds for it");
        var local = new LocalWorkload("", workload.Unit.Namespace, workload.Name, workload.Unit.ServiceAccount, workload.Unit.Labels);
        var source = new MeshSource(address, local, workload.Unit.Identity, workload.Unit.KnownHostsOnly);
        _draft.Good("source", $"pod {key} is in the mesh as {workload.Unit.Identity}; what it sends is captured on {workload.Unit.Node}");
        return ToHost(question, source, address);
    }

    private Explanation ToHost(ExplainQuestion question, MeshSource source, IPAddress from)
    {
        var found = HostFinder.Find(question.Host, question.Port, question.Namespace, parts.State);
        if (found.Host is not { } host)
            return Unknown(question, source, found);
        _draft.Good("host", found.How);
        _draft.Uses(UnitKind.Destination, host.Name);
        if (host.Port(found.Port ?? question.Port) is not { } port)
        {
            var ports = $"its ports: {(host.Unit.Ports.IsEmpty ? "none" : string.Join(", ", host.Unit.Ports.Select(one => one.Port)))}";
            return WorkloadNames.IsService(host.Name) || host.Unit.Answer is { Allocated: true }
                ? _draft.Stop("port", ExplainedOutcome.Refused, null, $"{host.Name} has no port {question.Port}: the connection is closed (no_such_port)", ports)
                : Unknown(question, source, found with { Host = null, How = $"{host.Name} has no port {question.Port}; {ports}" });
        }

        var spoken = Spoken(port, question.Scheme);
        if (host.Unit.ByEndpoint && spoken != "HTTP")
            return Headless(question, source, host, port, from, found.Address);
        var facts = source.FactsOf(new IPEndPoint(from, 0), new IPEndPoint(found.Address ?? IPAddress.None, question.Port), new MeshConnection { Source = source, Service = host.Name });
        if (question.Scheme == "https")
            facts = facts with { ServerName = question.Host.ToLowerInvariant() };
        if (port.Protocol is PortProtocol.Http or PortProtocol.Http2 && spoken != "HTTP")
            return _draft.Stop("port", ExplainedOutcome.Answered, 400, $"port {port.Port} is for HTTP, by its name or appProtocol, and {spoken} are none: 400 (DPE)");
        _draft.Good("port", $"port {port.Port} speaks {port.Protocol switch { PortProtocol.Auto => $"what its first bytes say: {spoken}", _ => $"{port.Protocol.ToString().ToUpperInvariant()}" }}");
        return spoken == "HTTP"
            ? new RouteExplainer(parts, _draft).Requests(question, parts.State.Tables.Of(port.Routes!).Whole, MeshListeners.Outbound, facts, source.Identity, from)
            : new RouteExplainer(parts, _draft).Connections(new ListenerConfig { ConnectionRoutes = port.Connections }, facts, source.Identity, from, spoken);
    }

    private static string Spoken(DestinationPort port, string scheme) => (port.Protocol, scheme) switch
    {
        (PortProtocol.Tcp, _) => "bytes",
        (_, "http") when port.Routes is not null => "HTTP",
        (_, "https") => "TLS",
        _ => "bytes",
    };

    // Its name stands for its pods' addresses, so the connection is to one of them.
    private Explanation Headless(ExplainQuestion question, MeshSource source, MeshHost host, DestinationPort port, IPAddress from, IPAddress? dialled)
    {
        _draft.Odd("port", $"{host.Name} is headless: its name leads to the pods themselves, and connections that are not HTTP go to the pod that was dialled; no route of the mesh holds");
        var facts = source.FactsOf(new IPEndPoint(from, 0), new IPEndPoint(dialled ?? IPAddress.None, question.Port), new MeshConnection { Source = source, Service = host.Name });
        return dialled is null
            ? new RouteExplainer(parts, _draft).Clusters([(ClusterOf(host, port), null, 1)], facts, source.Identity, from, null, null, "one of the pods, by DNS")
            : new RouteExplainer(parts, _draft).Joined([(RouteExplainer.Only(MeshClusters.Pod, facts.Destination, MeshTls.Auto), null, 1)], facts, source.Identity, from, null, null, "the pod itself");
    }

    private Explanation Unknown(ExplainQuestion question, MeshSource source, FoundHost found)
    {
        if (found.Address is { } address && parts.State.View.Workloads.TryGetValue(address, out var owners) && !owners.IsEmpty)
        {
            _draft.Odd("host", $"{address} is the address of {owners[0].Key}: the connection goes to that pod, and no route of the mesh holds");
            var facts = source.FactsOf(new IPEndPoint(source.Address ?? IPAddress.None, 0), new IPEndPoint(address, question.Port), new MeshConnection { Source = source, Service = address.ToString() });
            return new RouteExplainer(parts, _draft).Joined([(RouteExplainer.Only(MeshClusters.Pod, facts.Destination, MeshTls.Auto), null, 1)], facts, source.Identity, source.Address ?? IPAddress.None, null, null, "the pod itself");
        }

        var near = HostFinder.Near(question.Host, parts.State.Hosts.Keys);
        string[] why = near.Count == 0 ? [] : [$"there are: {string.Join(", ", near)}"];
        if (source.KnownHostsOnly)
            return _draft.Stop("host", ExplainedOutcome.Refused, null, $"{found.How}, and the pod may only call known ones (Sidecar outboundTrafficPolicy REGISTRY_ONLY): the connection is closed (unknown_host)", why);
        if (question.Host.EndsWith(".svc", StringComparison.Ordinal) || question.Host.Contains(".svc.", StringComparison.Ordinal) || near.Count > 0 || !question.Host.Contains('.'))
            return _draft.Stop("host", ExplainedOutcome.Unreachable, null, $"{found.How}: the name does not resolve", why);
        return _draft.Stop("host", ExplainedOutcome.PassedThrough, null, $"{found.How}: where the name resolves outside of the cluster, the connection is passed on as it is", why);
    }

    private Explanation Uncaptured(ExplainQuestion question, IPAddress from, string text)
    {
        _draft.Odd("source", text);
        var found = HostFinder.Find(question.Host, question.Port, question.Namespace, parts.State);
        if (found.Host is not { } host)
            return _draft.Stop("host", ExplainedOutcome.PassedThrough, null, found.How);
        _draft.Good("host", found.How);
        if (host.Port(question.Port) is not { } port)
            return _draft.Stop("port", ExplainedOutcome.Unreachable, null, $"{host.Name} has no port {question.Port}", $"its ports: {string.Join(", ", host.Unit.Ports.Select(one => one.Port))}");
        _draft.Good("port", "the kernel's rules of the service choose one of its pods, by chance");
        var request = question.Scheme == "http" && port.Routes is not null
            ? ImaginedRequest.Of(question, new ConnectionFacts { Source = new IPEndPoint(from, 0), Destination = new IPEndPoint(IPAddress.None, question.Port) }, MeshListeners.Inbound.Http.Path, out _)
            : null;
        return new RouteExplainer(parts, _draft).Clusters([(ClusterOf(host, port), null, 1)], null, null, from, request, ImaginedRequest.TokenOf(question), "one of the pods");
    }

    private static string ClusterOf(MeshHost host, DestinationPort port) => $"{host.Name}:{port.Port}";
}
