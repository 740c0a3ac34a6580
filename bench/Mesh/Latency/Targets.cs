using System.Net;
using Weft.Api.Core;

namespace Weft.Bench.Mesh.Latency;

/// <param name="Path">How a request goes.</param>
/// <param name="Host">What it asks for.</param>
internal sealed record Target(string Path, BenchPod From, IPEndPoint To, string Host);

/// <summary>The same servers with and without the mesh, on the client's node and on the other one.</summary>
internal static class Targets
{
    public const string NearOutside = "same node, outside", NearTcp = "same node, mesh, bytes (L4)", NearHttp = "same node, mesh, requests (L7)";
    public const string FarOutside = "other node, outside", FarTcp = "other node, mesh, mutual TLS, bytes (L4)", FarHttp = "other node, mesh, mutual TLS, requests (L7)";

    /// <summary>The peers: a HAProxy on either node, TLS between them.</summary>
    public const string FarTcpPeer = "other node, two HAProxy, TLS, bytes", FarHttpPeer = "other node, two HAProxy, TLS, requests";

    /// <summary>The pods of a peer, the client's first.</summary>
    public static IReadOnlyList<string> RelaysOf(string path) => path switch
    {
        FarTcpPeer => ["tcp-out", "tcp-in"],
        FarHttpPeer => ["http-out", "http-in"],
        _ => [],
    };

    public static async Task<IReadOnlyList<Target>> MakeAsync(BenchCluster cluster)
    {
        var nodes = await cluster.NodesAsync();
        var (near, far) = (nodes[0], nodes.Count > 1 ? nodes[1] : throw new InvalidOperationException("this part needs two nodes"));
        await BenchCluster.ApplyAsync(Manifests.Join(
            Manifests.Namespace(BenchCluster.Namespace), Manifests.Idle("client", near), Manifests.Idle("plain", near, isMeshed: false),
            Manifests.Server("near", near, app: "near"), Manifests.Server("far", far, app: "far"),
            Manifests.Server("near-plain", near, app: "near-plain", isMeshed: false), Manifests.Server("far-plain", far, app: "far-plain", isMeshed: false),
            Manifests.Service("near", "near"), Manifests.Service("far", "far"), Manifests.Service("near-tcp", "near", "tcp"), Manifests.Service("far-tcp", "far", "tcp"),
            Manifests.Service("near-plain", "near-plain"), Manifests.Service("far-plain", "far-plain"),
            Relays("tcp"), Relays("http")));
        var (client, plain) = (await cluster.PodAsync("client"), await cluster.PodAsync("plain"));
        foreach (var name in (string[])["near", "far", "near-plain", "far-plain", .. RelaysOf(FarTcpPeer), .. RelaysOf(FarHttpPeer)])
            await cluster.PodAsync(name);
        Target[] targets =
        [
            await OfAsync(NearOutside, plain, "near-plain"), await OfAsync(NearTcp, client, "near-tcp"), await OfAsync(NearHttp, client, "near"),
            await OfAsync(FarOutside, plain, "far-plain"), await OfAsync(FarTcp, client, "far-tcp"), await OfAsync(FarHttp, client, "far"),
            await OfAsync(FarTcpPeer, plain, "tcp-out"), await OfAsync(FarHttpPeer, plain, "http-out"),
        ];
        foreach (var target in targets)
            await cluster.UntilAsync($"{target.Path} answers", () => Task.FromResult(Answers(target)));
        return targets;

        string Relays(string mode) => Manifests.Join(
            Manifests.Relay($"{mode}-out", near, $"{mode}-in", mode, takesTls: false), Manifests.Service($"{mode}-out", $"{mode}-out"),
            Manifests.Relay($"{mode}-in", far, "far-plain", mode, takesTls: true), Manifests.Service($"{mode}-in", $"{mode}-in"));

        async Task<Target> OfAsync(string path, BenchPod from, string service)
        {
            var found = await cluster.Client.For<Service>().GetAsync(new(BenchCluster.Namespace, service), CancellationToken.None);
            return new(path, from, new IPEndPoint(IPAddress.Parse(found.Spec.ClusterIP!), 80), $"{service}.{BenchCluster.Namespace}.svc.cluster.local");
        }
    }

    private static bool Answers(Target target)
    {
        try
        {
            using var probe = new HttpProbe(PodSockets.Connect(target.From, target.To), target.Host, "/");
            return probe.Ask().Status == 200;
        }
        catch (Exception notYet) when (notYet is IOException or System.Net.Sockets.SocketException)
        {
            return false;
        }
    }
}
