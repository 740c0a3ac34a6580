using System.Globalization;
using System.Net;
using System.Text;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Inspection;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Routing;
using Weft.Proxy.Routing.Actions;
using Weft.Proxy.Runtime;

namespace Weft.Proxy.Mesh.Inspection.Explaining;

/// <summary>From a host's port on: rule, action, clusters, endpoints.</summary>
internal sealed class RouteExplainer(ExplainerParts parts, ExplanationDraft draft)
{
    /// <param name="client">As the sending side knows it.</param>
    /// <param name="token">That the listener has asked for and taken.</param>
    public Explanation Requests(ExplainQuestion question, RouteTableConfig table, ListenerConfig listener, ConnectionFacts client, string? identity, IPAddress from, ImaginedIdentity? token = null)
    {
        var request = ImaginedRequest.Of(question, client, listener.Http.Path, out var problem);
        request.Token = token;
        if (problem is not null)
            return draft.Stop("request", ExplainedOutcome.Answered, 400, $"the request is refused: {problem}");
        draft.Uses(UnitKind.Routes, table.Name);
        var routes = RouteTrace.Compile(table, listener);
        var found = routes.Find(request);
        var host = routes.HostOf(request);
        var config = table.Hosts.SelectMany(one => one.Routes.Where(_ => one.Name == found.Route.Host)).FirstOrDefault(one => one.Name == found.Route.Name);
        var ownHost = table.Hosts.FirstOrDefault(one => one.Name == found.Route.Host);
        var passed = RouteTrace.Passed(host, found.Route, request).ToList();
        if (config is null)
            return draft.Stop("route", ExplainedOutcome.Answered, 404, host is null ? $"no route is for host {Encoding.ASCII.GetString(request.Host.Authority)}: 404 (NR)" : "no rule takes the request: 404 (NR)", passed);
        draft.Good("route", $"{Named(config.Name)} takes it", [RouteTrace.Taken(host, found.Route, request), .. passed]);
        foreach (var filter in (ownHost?.Filters ?? []).Concat(config.Filters))
        {
            if (filter is FaultFilter { AbortFraction: >= 1 } fault)
                return draft.Stop("fault", ExplainedOutcome.Answered, fault.AbortGrpcStatus is null ? fault.AbortStatus : 200, $"{RouteTexts.Of(filter)}: no endpoint gets it (FI)", $"of {config.Name}");
            if (filter is JwtFilter tokens && PolicyJudge.Of([tokens], client, request, ImaginedRequest.TokenOf(question), parts.State) is { Allowed: false } refused)
                return draft.Stop("filter", ExplainedOutcome.Refused, refused.Status, refused.Text, [.. refused.Why, $"of {config.Name}"]);
            if (RouteTexts.Of(filter) is { Length: > 0 } text)
                draft.Odd(filter is FaultFilter ? "fault" : "filter", text);
        }

        return config.Action switch
        {
            RedirectAction redirect => draft.Stop("action", ExplainedOutcome.Answered, redirect.Status, $"redirected with {redirect.Status}{(redirect.Host is { } to ? $" to {to}" : "")}{redirect.Path ?? redirect.Prefix}"),
            DirectResponse direct => draft.Stop("action", ExplainedOutcome.Answered, direct.Status, $"answered with {direct.Status} by the route itself", direct.Body.Length > 0 ? [direct.Body.TrimEnd('\n')] : []),
            ForwardAction forward => Forward(forward, found.PrefixLength, request, client, identity, from, ImaginedRequest.TokenOf(question)),
            _ => draft.End(ExplainedOutcome.Depends, null, config.Action.GetType().Name),
        };
    }

    /// <summary>What is not HTTP.</summary>
    public Explanation Connections(ListenerConfig rules, ConnectionFacts client, string? identity, IPAddress from, string spoken)
    {
        // Every share is asked for once: the choice itself is by chance.
        var chosen = new ConnectionTable(rules, () => 0).Find(client);
        var rule = chosen is null ? null : rules.ConnectionRoutes.FirstOrDefault(route => new ConnectionTable(new ListenerConfig { ConnectionRoutes = [route] }, () => 0).Find(client) is not null);
        if (rule is null)
            return draft.Stop("route", ExplainedOutcome.Refused, null, $"no rule takes the connection ({spoken}): it is closed");
        draft.Good("route", $"a rule for {spoken} takes the connection");
        return Clusters([.. rule.Clusters.Select(one => (one.Cluster, one.Subset, one.Weight))], client, identity, from, null, null, null);
    }

    public Explanation Clusters(IReadOnlyList<(string Name, string? Subset, int Weight)> clusters, ConnectionFacts? client, string? identity, IPAddress from, RequestFacts? request, ImaginedIdentity? token, string? choice)
    {
        var joined = new List<(MeshCluster Cluster, string? Subset, int Weight)>();
        foreach (var (name, subset, weight) in clusters.Where(one => one.Weight > 0))
        {
            draft.Uses(UnitKind.Cluster, name);
            if (parts.State.Clusters.TryGetValue(name, out var cluster))
                joined.Add((cluster, subset, weight));
            else
                draft.Odd("destination", $"cluster {name} is not there: what is sent to it is answered 503 (NC)");
        }

        return Joined(joined, client, identity, from, request, token, choice);
    }

    public Explanation Joined(IReadOnlyList<(MeshCluster Cluster, string? Subset, int Weight)> clusters, ConnectionFacts? client, string? identity, IPAddress from, RequestFacts? request, ImaginedIdentity? token, string? choice)
    {
        if (clusters.Count == 0)
            return draft.Stop("destination", ExplainedOutcome.Unreachable, 503, "the destination is not there: 503 (NC)");
        var judge = new EndpointJudge(parts, draft, client, from, identity, request, token);
        var all = new List<Judgement>();
        var total = clusters.Sum(one => (double)one.Weight);
        foreach (var (named, subset, weight) in clusters)
        {
            var (cluster, chosen) = Dialled(named, client) ?? (named, choice);
            var share = clusters.Count > 1 ? $"{RouteTexts.Percent(weight / total)} to " : "";
            if (cluster.OriginalAddress)
            {
                draft.Fact("destination", $"{share}{cluster.Config.Name}: to the address that the connection was meant for");
                continue;
            }

            var before = draft.Endpoints.Count;
            all.AddRange(judge.Judge(cluster, subset));
            var own = draft.Endpoints.Skip(before).ToList();
            if (own.Any(one => one.Health is "healthy" or "unknown"))
                draft.Good("destination", $"{share}{Text(cluster)}: {own.Count} endpoint{(own.Count == 1 ? "" : "s")}, {chosen ?? RouteTexts.Of(cluster.Config.LoadBalancer)}", client is null ? [] : Settings(cluster));
            else
                draft.Odd("destination", $"{share}{Text(cluster)}: {(own.Count == 0 ? "no endpoints" : $"none of {own.Count} endpoints takes requests now")}: 503 (UH)", [.. NoEndpoints(cluster, own.Count), .. Settings(cluster)]);
        }

        return Conclude(all, clusters.All(one => one.Cluster.OriginalAddress));
    }

    /// <summary>A cluster of one endpoint.</summary>
    public static MeshCluster Only(string name, IPEndPoint at, MeshTls tls) => new(new ClusterConfig { Name = name, Endpoints = [new EndpointConfig { Address = at.Address.ToString(), Port = at.Port }] }, tls, false, null);

    // Of a headless service: the endpoint that was dialled, or, where the service's name was, whichever the client took of DNS.
    private (MeshCluster Cluster, string? Choice)? Dialled(MeshCluster cluster, ConnectionFacts? client)
    {
        const string Part = "/" + ClusterUnit.Dialled;
        if (!cluster.OriginalAddress || !cluster.Config.Name.Contains(Part, StringComparison.Ordinal) || client is null)
            return null;
        if (!client.Destination.Address.Equals(IPAddress.None))
            return (Only(cluster.Config.Name, client.Destination, cluster.Tls), "the one that is dialled");
        return parts.State.Clusters.TryGetValue(cluster.Config.Name.Replace(Part, "", StringComparison.Ordinal), out var all) ? (all, "one of them, by DNS") : null;
    }

    private Explanation Forward(ForwardAction forward, int prefixLength, RequestFacts request, ConnectionFacts client, string? identity, IPAddress from, ImaginedIdentity? token)
    {
        draft.Fact("action", "sent on", RouteTexts.Of(forward));
        if (!new RewritePlan(forward.Rewrite).TryApply(request, prefixLength))
            return draft.Stop("action", ExplainedOutcome.Answered, 400, "the rewritten path is none: 400");
        return Clusters([.. forward.Clusters.Select(one => (one.Cluster, one.Subset, one.Weight))], client, identity, from, request, token, null);
    }

    private Explanation Conclude(List<Judgement> judgements, bool original)
    {
        if (judgements.Count == 0)
            return original ? draft.End(ExplainedOutcome.PassedThrough, null, "passed on to the address that the connection was meant for") : draft.End(ExplainedOutcome.Unreachable, 503, "nobody is there to take it: 503 (UH)");
        foreach (var group in judgements.GroupBy(one => one.Text))
        {
            var which = judgements.DistinctBy(one => one.Text).Count() == 1 ? "" : $"{group.Count()} of {judgements.Count} endpoints: ";
            if (group.First().Allowed)
                draft.Good("inbound", which + group.Key, group.First().Why.Where(line => line != group.Key));
            else
                draft.Odd("inbound", which + group.Key, group.First().Why);
        }

        var refused = judgements.FindAll(one => !one.Allowed);
        if (refused.Count == judgements.Count)
            return draft.End(ExplainedOutcome.Refused, refused[0].Status, Sentence(refused[0].Text) + (refused[0].Status is null ? ": the connection is closed" : ""));
        if (refused.Count > 0)
            return draft.End(ExplainedOutcome.Depends, null, $"it depends on the endpoint: {refused.Count} of {judgements.Count} refuse it");
        return judgements.Exists(one => one.Depends)
            ? draft.End(ExplainedOutcome.Depends, null, "it depends on who is asked at the destination")
            : draft.End(ExplainedOutcome.Forwarded, null, judgements.Count == 1 ? $"it reaches {Who(0)}" : $"it reaches one of {judgements.Count} endpoints");
    }

    // What comes before it says that it is refused.
    private static string Sentence(string text) => text.StartsWith("refused: ", StringComparison.Ordinal) ? text["refused: ".Length..] : text;

    private string Who(int at) => draft.Endpoints.Where(one => one.Health is "healthy" or "unknown").ElementAt(at) is var endpoint ? endpoint.Workload ?? endpoint.Address : "";

    private static IEnumerable<string> NoEndpoints(MeshCluster cluster, int known)
    {
        if (known > 0 || cluster.Config.Name == "unknown")
            yield break;
        var host = WorkloadNames.HostOf(cluster.Config.Name);
        if (WorkloadNames.IsService(host) && host.Split('.') is [var service, var ns, ..])
            yield return $"no pod that is ready has the service's{(cluster.Config.Name.Contains('/') ? " and the subset's" : "")} labels: kubectl -n {ns} get pods,endpointslices -l kubernetes.io/service-name={service}";
        else if (cluster.Config.Dns is { } dns)
            yield return $"its endpoints are what {dns.Name} resolves to, and that is nothing now";
    }

    private static IEnumerable<string> Settings(MeshCluster cluster)
    {
        var config = cluster.Config;
        if (config.Tls is not null)
            yield return "TLS of the cluster's own, by its DestinationRule";
        if (config.Outliers is not null)
            yield return "endpoints that fail are ejected (outlierDetection)";
        if (config.Locality.Failover)
            yield return "near endpoints first, others when those are not well";
        if (config.Limits.MaxRequests < 1000 || config.Limits.MaxPending < 1000 || config.Limits.MaxConnections < 1000)
            yield return string.Create(CultureInfo.InvariantCulture, $"limits: {config.Limits.MaxConnections} connections, {config.Limits.MaxPending} waiting, {config.Limits.MaxRequests} requests at once");
    }

    private static string Text(MeshCluster cluster) => cluster.Config.Name == "unknown" ? "a destination that does not exist (weft analyze says which)" : cluster.Config.Name;

    // `namespace/name/http[0]`, at the front door with `~host` behind it.
    private static string Named(string route) => route.Contains("/http[", StringComparison.Ordinal) ? $"VirtualService {route.Split('~')[0]}"
        : route.StartsWith("default", StringComparison.Ordinal) ? "no VirtualService rule: the host's own route"
        : route.StartsWith("dialled", StringComparison.Ordinal) ? "it names no service but a pod or an address, and goes to whom was dialled" : $"route {route}";
}
