using System.Text;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Cli.Objects;
using Weft.Cli.Observing;
using Weft.Client;

namespace Weft.Cli.Demo.Tour;

/// <summary>What the steps of the tour have in hand: the cluster, a visitor, and the front door's address.</summary>
internal sealed class TourGuide(ClusterAccess access, KubeClient client, Shop shop, Visitor visitor, string door, TimeProvider time)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    internal Visitor Visitor => visitor;
    internal Shop Shop => shop;

    /// <summary>`http://10.97.0.1`.</summary>
    internal string Door => door;

    /// <summary>The first pod of a Deployment of the shop.</summary>
    internal async Task<Pod> PodAsync(string app, string? version, CancellationToken cancellationToken)
    {
        var selector = $"app={app}" + (version is null ? "" : $",version={version}");
        var pods = await client.For<Pod>().ListAsync(Shop.Namespace, cancellationToken, new ListOptions { LabelSelector = selector });
        return pods.Items.Where(pod => pod.Metadata.DeletionTimestamp is null && pod.Status.PodIP is not null).MinBy(pod => pod.Metadata.Name, StringComparer.Ordinal)
            ?? throw new CommandException($"there is no running pod with {selector} in the namespace {Shop.Namespace}");
    }

    /// <summary>What a request of that pod is answered, as `shop-front get` prints it: status and text.</summary>
    internal async Task<string> InsideAsync(Pod pod, string verb, string address, CancellationToken cancellationToken)
    {
        using var output = new MemoryStream();
        await new ExecCommand(access, Stream.Null, output, Stream.Null).RunAsync(
            new(pod.Metadata.Name!, Shop.Namespace, null, Input: false, [Path.Combine(shop.Apps, "shop-front"), verb, address]), cancellationToken);
        return Encoding.UTF8.GetString(output.ToArray()).Trim();
    }

    /// <summary>As a user writes it.</summary>
    internal string InsideCommand(string deployment, string verb, string address) => $"kubectl -n {Shop.Namespace} exec deploy/{deployment} -- {Path.Combine(shop.Apps, "shop-front")} {verb} {address}";

    /// <summary>What `weft why` says of a request of a Deployment of the shop.</summary>
    internal async Task<string> WhyAsync(string from, string address, CancellationToken cancellationToken)
    {
        using var output = new StringWriter();
        using var observer = MeshObserver.Connect(access);
        await new WhyCommand(output, TextWriter.Null).ImaginedAsync(new(from, Shop.Namespace, "GET", address, [], IsJson: false), client, observer, cancellationToken);
        return output.ToString();
    }

    /// <summary>Waits for what comes within moments. False: it did not.</summary>
    internal async Task<bool> SoonAsync(Func<Task<bool>> isSo, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (!await isSo())
        {
            if (time.GetElapsedTime(started) > Soon)
                return false;
            await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancellationToken);
        }

        return true;
    }

    /// <summary>Takes away what an earlier tour left, so that every step shows a difference.</summary>
    internal async Task ForgetAsync(IEnumerable<string> manifests, CancellationToken cancellationToken)
    {
        var resources = (await Discovery.ReadAsync(client, cancellationToken)).Resources;
        foreach (var tree in manifests.SelectMany(Manifests.Documents).Select(document => document.Tree))
            await Objects(resources, tree).DeleteIfThereAsync(KeyOf(tree), cancellationToken);
    }

    /// <summary>Applies a manifest and waits until every proxy serves it. Returns why that did not come to be, or null.</summary>
    internal async Task<string?> ApplyAsync(string manifest, CancellationToken cancellationToken)
    {
        using var errors = new StringWriter();
        if (await new ApplyCommand(client, Shop.Namespace, TextWriter.Null, errors).RunAsync([manifest], force: true, cancellationToken) != 0)
            return errors.ToString().Trim();

        var resources = (await Discovery.ReadAsync(client, cancellationToken)).Resources;
        foreach (var tree in Manifests.Documents(manifest).Select(document => document.Tree))
        {
            JsonObject? now = null;
            if (!await SoonAsync(async () => IsProgrammed(now = await Objects(resources, tree).GetAsync(KeyOf(tree), cancellationToken)), cancellationToken))
                return $"{(string?)tree["kind"]} {KeyOf(tree)} is not served by every proxy: {now?["status"]?.ToJsonString() ?? "it has no status"}";
        }

        return null;
    }

    private ResourceClient<JsonObject> Objects(IReadOnlyList<ApiResource> resources, JsonObject tree) =>
        client.Raw(resources.First(resource => resource.Kind == (string?)tree["kind"] && resource.Resource.ApiVersion == (string?)tree["apiVersion"]));

    private static ObjectKey KeyOf(JsonObject tree) => new((string?)tree["metadata"]?["namespace"] ?? Shop.Namespace, (string)tree["metadata"]!["name"]!);

    private static bool IsProgrammed(JsonObject tree) => tree["status"]?["conditions"] is JsonArray conditions && conditions.Any(condition =>
        (string?)condition?["type"] == "Programmed" && (string?)condition["status"] == "True"
        && ((long?)condition["observedGeneration"] ?? (long?)tree["status"]!["observedGeneration"]) == (long?)tree["metadata"]?["generation"]);
}
