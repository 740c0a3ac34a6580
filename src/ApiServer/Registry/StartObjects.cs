using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Api.Trees;
using Weft.ApiServer.Authentication;
using Weft.ApiServer.Http;
using Weft.ApiServer.Registry.Services;
using Weft.Storage;

namespace Weft.ApiServer.Registry;

/// <summary>The objects that every cluster has from its first second: its namespaces, priority classes, and the service by which pods reach the server. What the store has no room for waits for a later start.</summary>
internal sealed partial class StartObjects(IResourceCatalog catalog, ObjectReader reader, ObjectWriter writer, TimeProvider time, ILogger logger)
{
    internal const string Manager = "weft-apiserver";
    private const string ServiceName = "kubernetes";

    internal static readonly UserInfo Self = new("system:apiserver", [UserInfo.Masters]);

    public async ValueTask CreateBasicsAsync(CancellationToken cancellationToken)
    {
        foreach (var name in (string[])["default", "kube-system", "kube-public", "kube-node-lease"])
            await EnsureAsync("", "namespaces", "", name, [], cancellationToken);
        await EnsureClassAsync("system-node-critical", 2000001000, "Used for system critical pods that must not be moved from their current node.", cancellationToken);
        await EnsureClassAsync("system-cluster-critical", 2000000000, "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.", cancellationToken);
    }

    /// <summary>The `kubernetes` service has the first address of the range, as everything in pods expects, and leads to where this server listens.</summary>
    public async ValueTask CreateServiceAsync(AddressRange range, IPEndPoint? advertised, CancellationToken cancellationToken)
    {
        await EnsureAsync("", "services", "default", ServiceName, new JsonObject
        {
            ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["component"] = "apiserver", ["provider"] = "kubernetes" } },
            ["spec"] = new JsonObject
            {
                ["type"] = "ClusterIP",
                ["clusterIP"] = AddressRange.Text(range.First),
                ["sessionAffinity"] = "None",
                ["ports"] = new JsonArray(new JsonObject
                {
                    ["name"] = "https", ["port"] = 443, ["protocol"] = "TCP", ["targetPort"] = advertised?.Port ?? 6443,
                }),
            },
        }, cancellationToken);
        if (advertised is null)
            return;

        var address = advertised.Address.ToString();
        await SetAsync("", "endpoints", new JsonObject
        {
            ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["endpointslice.kubernetes.io/skip-mirror"] = "true" } },
            ["subsets"] = new JsonArray(new JsonObject
            {
                ["addresses"] = new JsonArray(new JsonObject { ["ip"] = address }),
                ["ports"] = new JsonArray(new JsonObject { ["name"] = "https", ["port"] = advertised.Port, ["protocol"] = "TCP" }),
            }),
        }, cancellationToken);
        await SetAsync("discovery.k8s.io", "endpointslices", new JsonObject
        {
            ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["kubernetes.io/service-name"] = ServiceName } },
            ["addressType"] = "IPv4",
            ["endpoints"] = new JsonArray(new JsonObject { ["addresses"] = new JsonArray(address), ["conditions"] = new JsonObject { ["ready"] = true } }),
            ["ports"] = new JsonArray(new JsonObject { ["name"] = "https", ["port"] = advertised.Port, ["protocol"] = "TCP" }),
        }, cancellationToken);
    }

    private ValueTask EnsureClassAsync(string name, long value, string description, CancellationToken cancellationToken) =>
        EnsureAsync("scheduling.k8s.io", "priorityclasses", "", name, new JsonObject { ["value"] = value, ["description"] = description }, cancellationToken);

    private async ValueTask SetAsync(string group, string resource, JsonObject wanted, CancellationToken cancellationToken)
    {
        if (catalog.Current.Find(group, "v1", resource) is not { } info)
            return;
        if (reader.Find(info, "default", ServiceName) is null)
        {
            await EnsureAsync(group, resource, "default", ServiceName, wanted, cancellationToken);
            return;
        }

        try
        {
            await writer.UpdateAsync(Context(info, "default", ServiceName), Demands.None, old =>
            {
                var current = (JsonObject)old.DeepClone();
                foreach (var (name, value) in wanted)
                {
                    if (name != "metadata")
                        current[name] = value?.DeepClone();
                }
                return new ValueTask<JsonObject>(current);
            }, cancellationToken);
        }
        catch (StoreReadOnlyException full)
        {
            Log.NotWritten(logger, info.Kind.Kind, ServiceName, full.Message);
        }
    }

    private async ValueTask EnsureAsync(string group, string resource, string ns, string name, JsonObject tree, CancellationToken cancellationToken)
    {
        if (catalog.Current.Find(group, "v1", resource) is not { } info || reader.Find(info, ns, name) is not null)
            return;
        tree["apiVersion"] = info.Kind.ApiVersion;
        tree["kind"] = info.Kind.Kind;
        Metadata.Of(tree)["name"] = name;
        try
        {
            await writer.CreateAsync(Context(info, ns, name), tree, cancellationToken);
        }
        catch (ApiException e) when (e.Status.Reason == "AlreadyExists")
        {
            // Another server of the cluster was first.
        }
        catch (StoreReadOnlyException full) when ((resource, name) is not ("namespaces", "default"))
        {
            // Without that one the cluster is a new one, and nothing of it could be made.
            Log.NotWritten(logger, info.Kind.Kind, name, full.Message);
        }
        catch (ApiException e)
        {
            throw new InvalidOperationException($"the server cannot create its own {info.Kind.Kind} {name}: {e.Message}", e);
        }
    }

    private WriteContext Context(ResourceInfo info, string ns, string name) => new(info, Self, ns, name, time.GetUtcNow())
    {
        FieldManager = Manager,
        IsOwn = true,
        Warn = text => Log.Warned(logger, info.Kind.Kind, name, text),
    };

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The server's own {Kind} {Name} stays as it was, or missing, until a later start: {Reason}", EventName = nameof(NotWritten))]
        public static partial void NotWritten(ILogger logger, string kind, string name, string reason);

        [LoggerMessage(LogLevel.Warning, "Making {Kind} {Name}: {Warning}", EventName = nameof(Warned))]
        public static partial void Warned(ILogger logger, string kind, string name, string warning);
    }
}
