using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Cli.Clusters;
using Weft.Cli.Demo.Tour;
using Weft.Cli.Objects;
using Weft.Client;

namespace Weft.Cli.Demo;

/// <param name="ApiPort">Null: the port that the cluster has, or 6443 for a new one.</param>
/// <param name="HasTour">False: the shop alone.</param>
public sealed record DemoOptions(ClusterPaths Paths, int? ApiPort, bool HasTour);

/// <summary>`weft demo`: a cluster of two nodes with a small shop in it (front, catalogue in two versions, cart), a tour of what the mesh does for it, and what to try.</summary>
public sealed class DemoCommand(CommandHost host, TextWriter output, TextWriter errors)
{
    // Of a new cluster: failover and mutual TLS between nodes need two.
    private const int Nodes = 2;
    private static readonly ObjectKey Door = new("istio-system", "istio-ingressgateway");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    public async Task<int> RunAsync(DemoOptions options, CancellationToken cancellationToken)
    {
        var paths = options.Paths;
        var nodes = File.Exists(paths.Settings) ? (int?)null : Nodes;
        var up = await new UpCommand(host.Time, output, errors).RunAsync(new(paths, options.ApiPort, Foreground: false, host.Executable) { Nodes = nodes, Mesh = nodes is null ? null : true }, cancellationToken);
        if (up != 0)
            return up;

        output.WriteLine();
        output.WriteLine("the shop: three C# services as process pods");
        var shop = new Shop(host, paths);
        shop.Install();
        var access = ClusterConnection.Find(paths);
        using var client = access.Connect(host.Time);
        if (await StartAsync(client, shop, cancellationToken) is { } problem)
        {
            errors.WriteLine($"weft demo: {problem}");
            return 1;
        }

        var hasMesh = ClusterSettings.Load(paths.Settings)?.Mesh != false;
        var code = 0;
        string? door = null;
        if (hasMesh && options.HasTour)
        {
            using var visitor = new Visitor();
            door = await DoorAsync(client, visitor, cancellationToken);
            if (door is null)
            {
                errors.WriteLine($"weft demo: the front door does not lead to the shop after {Patience.TotalSeconds:0} s");
                errors.WriteLine($"  see:  kubectl -n {Shop.Namespace} describe ingress shop     kubectl -n {Door.Namespace} get service {Door.Name}");
                return 1;
            }

            code = await new TourCommand(new(access, client, shop, visitor, door, host.Time), host.Time, output).RunAsync(cancellationToken);
        }
        else if (options.HasTour)
        {
            output.WriteLine("no tour: this cluster has no mesh (weft down, weft up --mesh on)");
        }

        await SuggestAsync(client, door, cancellationToken);
        return code;
    }

    /// <summary>Returns the sentence, or null when all of it is available.</summary>
    private async Task<string?> StartAsync(KubeClient client, Shop shop, CancellationToken cancellationToken)
    {
        var started = host.Time.GetTimestamp();
        if (await new ApplyCommand(client, Shop.Namespace, TextWriter.Null, errors).RunAsync([shop.Render("shop.yaml")], force: true, cancellationToken) != 0)
            return "the shop's manifest was refused";

        while (await PendingAsync(client, cancellationToken) is { Count: > 0 } pending)
        {
            if (host.Time.GetElapsedTime(started) > Patience)
                return $"not available after {Patience.TotalSeconds:0} s: {string.Join(", ", pending)}\n  see:  kubectl -n {Shop.Namespace} describe pods";

            await Task.Delay(TimeSpan.FromMilliseconds(50), host.Time, cancellationToken);
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {host.Time.GetElapsedTime(started).TotalSeconds,5:0.00} s  all deployments available"));
        return null;
    }

    private static async Task<IReadOnlyList<string>> PendingAsync(KubeClient client, CancellationToken cancellationToken)
    {
        var deployments = await client.For<Deployment>().ListAsync(Shop.Namespace, cancellationToken);
        return
        [
            .. deployments.Items.Where(d => d.Status.ObservedGeneration != d.Metadata.Generation || (d.Status.UpdatedReplicas ?? 0) < (d.Spec.Replicas ?? 1) || (d.Status.AvailableReplicas ?? 0) < (d.Spec.Replicas ?? 1))
                .Select(d => d.Metadata.Name!),
        ];
    }

    /// <summary>Where the shop answers from outside; null: nowhere within the time.</summary>
    private async Task<string?> DoorAsync(KubeClient client, Visitor visitor, CancellationToken cancellationToken)
    {
        var started = host.Time.GetTimestamp();
        while (host.Time.GetElapsedTime(started) < Patience)
        {
            var service = await client.For<Service>().FindAsync(Door, cancellationToken);
            if (service?.Status.LoadBalancer?.Ingress is [{ Ip: { } address }, ..] && (await visitor.AskAsync($"http://{address}/healthz", cancellationToken)).Succeeded)
                return $"http://{address}";
            await Task.Delay(TimeSpan.FromMilliseconds(100), host.Time, cancellationToken);
        }

        return null;
    }

    private async Task SuggestAsync(KubeClient client, string? door, CancellationToken cancellationToken)
    {
        var front = await client.For<Service>().GetAsync(new ObjectKey(Shop.Namespace, "front"), cancellationToken);
        var address = door ?? $"http://{front.Spec.ClusterIP}";
        output.WriteLine();
        output.WriteLine("try:");
        Suggest($"curl {address}/", "the shop; again and again: v1 and v2");
        Suggest($"curl -X POST {address}/cart/yarn", "put something into the cart");
        Suggest($"kubectl -n {Shop.Namespace} get pods,services,ingress -o wide", "");
        Suggest($"kubectl -n {Shop.Namespace} get vs,dr,pa,ap -o wide", "the rules, and whether they are served");
        Suggest($"weft tap -n {Shop.Namespace}", "requests as they end");
        Suggest($"weft top services -n {Shop.Namespace}", "how many, how fast, how many failed");
        Suggest($"kubectl -n {Shop.Namespace} scale deploy/catalogue-v2 --replicas=3", "more of v2");
        Suggest($"kubectl -n {Shop.Namespace} set env deploy/catalogue-v1 VERSION=v2", $"a rolling update: kubectl -n {Shop.Namespace} rollout status deploy/catalogue-v1");
        Suggest($"kubectl -n {Shop.Namespace} port-forward deploy/front 8080:8080", "then open http://127.0.0.1:8080/");
        Suggest($"kubectl -n {Shop.Namespace} logs deploy/front -f", "");
        Suggest($"kubectl delete namespace {Shop.Namespace}", "");
    }

    private void Suggest(string command, string what) => output.WriteLine($"  {command,-62}{what}".TrimEnd());
}
