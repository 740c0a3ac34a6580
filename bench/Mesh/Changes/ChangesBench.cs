using System.Net;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Api.Istio;
using Weft.Client;

namespace Weft.Bench.Mesh.Changes;

/// <summary>From the API server's answer to a write until a request goes by it, and until the object says Programmed.</summary>
internal static class ChangesBench
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // Uncounted but for the first of all, which is shown beside: code that runs some thirty times is compiled anew, and a cluster is not measured in its first second.
    private const int WarmUp = 40;

    // Between two changes, so that each finds everything at rest; different each time, so that none of them keeps step with a timer.
    private static readonly (int Least, int Most) Pause = (20, 120);

    public static async Task RunAsync(BenchCluster cluster, int count)
    {
        var node = (await cluster.NodesAsync())[0];
        await BenchCluster.ApplyAsync(Objects(node));
        var (client, plain) = (await cluster.PodAsync("client"), await cluster.PodAsync("plain"));
        var (one, two) = (await cluster.PodAsync("web-v1"), await cluster.PodAsync("web-v2"));
        await BenchCluster.ApplyAsync(Slice(one.Address));
        var random = new Random(1);
        Figures.Print($"| {count} changes of | enforced: p50 | p99 | most | the first | Programmed: p50 | p99 | most |");
        Figures.Print($"|---|---|---|---|---|---|---|---|");
        foreach (var change in await ChangesAsync(cluster, client, plain, one, two))
            await MeasureAsync(cluster, change, count, random);
        Figures.Print($"load average {Figures.LoadAverage}");
    }

    private static async Task MeasureAsync(BenchCluster cluster, Change change, int count, Random random)
    {
        var resource = cluster.Client.Raw(change.Resource);
        using var observer = new Observer(change.From, change.Connect, cluster.Time);
        using var programmed = change.HasStatus ? new Programmed(resource, change.Key, cluster.Time) : null;
        var (enforced, told, cold) = (new List<double>(), new List<double>(), 0.0);
        for (var number = -WarmUp; number < count; number++)
        {
            var way = number & 1;
            var seen = observer.NextAsync(change.Ways[way].Outcome);
            var written = await resource.PatchAsync(change.Key, change.PatchOf(way), CancellationToken.None);
            var answered = cluster.Time.GetTimestamp();
            var served = await seen.WaitAsync(Patience, cluster.Time);
            if (number >= 0)
                enforced.Add(Since(answered, served));
            else if (number == -WarmUp)
                cold = Since(answered, served);
            if (programmed is not null)
            {
                var when = await programmed.OfAsync(Programmed.GenerationOf(written), Patience);
                if (number >= 0)
                    told.Add(Since(answered, when));
            }

            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(Pause.Least, Pause.Most)), cluster.Time);
        }

        var (first, second) = (new Figures(enforced), new Figures(told));
        Figures.Print($"| {change.Name} | {Text(first, 0.5)} | {Text(first, 0.99)} | {Text(first, 1)} | {Figures.Text(cold)} ms | {Text(second, 0.5)} | {Text(second, 0.99)} | {Text(second, 1)} |");

        // A request may go by it before its writer has the answer.
        double Since(long from, long to) => cluster.Time.GetElapsedTime(from, to).TotalMilliseconds;
        static string Text(Figures figures, double share) => figures.Count == 0 ? "" : Figures.Text(figures.At(share)) + " ms";
    }

    private static async Task<IReadOnlyList<Change>> ChangesAsync(BenchCluster cluster, BenchPod client, BenchPod plain, BenchPod one, BenchPod two)
    {
        const string Host = "web.bench.svc.cluster.local", Named = "named.bench.svc.cluster.local";
        var web = new IPEndPoint(await AddressAsync(cluster, "web"), 80);
        var named = new IPEndPoint(await AddressAsync(cluster, "named"), 80);
        return
        [
            new("AuthorizationPolicy: a path refused, allowed", Istio<AuthorizationPolicy>(), Key("paths"), client, () => new RequestAsker(HttpProbe.Connect(web, Host, "/secret"), byBody: false), true,
                (Path("/secret"), "403"), (Path("/other"), "200")),
            new("VirtualService: the other subset", Istio<VirtualService>(), Key("web"), client, () => new RequestAsker(HttpProbe.Connect(web, Host, "/"), byBody: true), true,
                (Subset("v2"), "v2"), (Subset("v1"), "v1")),
            new("PeerAuthentication: STRICT, PERMISSIVE, for a new connection from outside", Istio<PeerAuthentication>(), Key("modes"), plain,
                () => new ConnectionAsker(new IPEndPoint(one.Address, Manifests.Port), Host), true, (Mode("STRICT"), Observer.Lost), (Mode("PERMISSIVE"), "200")),
            new("EndpointSlice: the other endpoint", ApiResources.Of<EndpointSlice>(), Key("named-1"), client, () => new RequestAsker(HttpProbe.Connect(named, Named, "/"), byBody: true), false,
                (Endpoint(two.Address), "v2"), (Endpoint(one.Address), "v1")),
        ];

        static ObjectKey Key(string name) => new(BenchCluster.Namespace, name);
        static ApiResource Istio<T>() where T : class, IObject => ApiResources.Of<T>();
        static string Path(string path) => $$$"""{"spec":{"rules":[{"to":[{"operation":{"paths":["{{{path}}}"]}}]}]}}""";
        static string Subset(string name) => $$$"""{"spec":{"http":[{"route":[{"destination":{"host":"web","subset":"{{{name}}}"}}]}]}}""";
        static string Mode(string mode) => $"{{\"spec\":{{\"mtls\":{{\"mode\":\"{mode}\"}}}}}}";
        static string Endpoint(IPAddress address) => $$$"""{"endpoints":[{"addresses":["{{{address}}}"],"conditions":{"ready":true}}]}""";
    }

    private static async Task<IPAddress> AddressAsync(BenchCluster cluster, string service) =>
        IPAddress.Parse((await cluster.Client.For<Service>().GetAsync(new(BenchCluster.Namespace, service), CancellationToken.None)).Spec.ClusterIP!);

    private static string Objects(string node) => Manifests.Join(
        Manifests.Namespace(BenchCluster.Namespace), Manifests.Idle("client", node), Manifests.Idle("plain", node, isMeshed: false), Manifests.Server("web-v1", node, "v1"), Manifests.Server("web-v2", node, "v2"),
        Manifests.Service("web", "web"),
        """
        apiVersion: networking.istio.io/v1
        kind: DestinationRule
        metadata: {name: web, namespace: bench}
        spec: {host: web, subsets: [{name: v1, labels: {version: v1} }, {name: v2, labels: {version: v2} }]}
        ---
        apiVersion: networking.istio.io/v1
        kind: VirtualService
        metadata: {name: web, namespace: bench}
        spec: {hosts: [web], http: [{route: [{destination: {host: web, subset: v1} }]}]}
        ---
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: paths, namespace: bench}
        spec: {selector: {matchLabels: {app: web} }, action: DENY, rules: [{to: [{operation: {paths: [/other]} }]}]}
        ---
        apiVersion: security.istio.io/v1
        kind: PeerAuthentication
        metadata: {name: modes, namespace: bench}
        spec: {selector: {matchLabels: {app: web} }, mtls: {mode: PERMISSIVE} }
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: named, namespace: bench}
        spec: {ports: [{name: http, port: 80, targetPort: 8080}]}
        """);

    private static string Slice(IPAddress address) => $$"""
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: named-1, namespace: bench, labels: {kubernetes.io/service-name: named} }
        addressType: IPv4
        endpoints: [{addresses: ["{{address}}"], conditions: {ready: true} }]
        ports: [{name: http, port: {{Manifests.Port}}, protocol: TCP}]
        """;
}
