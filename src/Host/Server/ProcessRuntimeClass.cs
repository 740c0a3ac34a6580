using Weft.Api;
using Weft.Api.Nodes;
using Weft.Api.Rbac;
using Weft.Client;

namespace Weft.Host.Server;

/// <summary>
/// The RuntimeClass `process` is there from the start: without it no process pod can be asked for. So is a ClusterRole with the right to use it, because
/// `kubectl create role` refuses a verb that it does not know.
/// </summary>
internal static class ProcessRuntimeClass
{
    internal static async Task EnsureAsync(KubeClient client, CancellationToken cancellationToken)
    {
        await EnsureAsync(client, new RuntimeClass { Metadata = new() { Name = "process" }, Handler = "process" }, cancellationToken);
        await EnsureAsync(client, new ClusterRole
        {
            Metadata = new() { Name = "weft:process-user" },
            Rules = [new() { ApiGroups = ["node.k8s.io"], Resources = ["runtimeclasses"], ResourceNames = ["process"], Verbs = ["use"] }],
        }, cancellationToken);
    }

    private static async Task EnsureAsync<T>(KubeClient client, T value, CancellationToken cancellationToken) where T : class, IObject
    {
        try
        {
            await client.For<T>().CreateAsync(null, value, cancellationToken);
        }
        catch (ApiStatusException there) when (there.IsAlreadyExists)
        {
            // From an earlier start; what its owner changed stays.
        }
    }
}
