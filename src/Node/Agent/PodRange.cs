using System.Text.Json;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;

namespace Weft.Node.Agent;

/// <summary>A node that joins does not know its range of pod addresses: it registers, and is given one.</summary>
public static class PodRange
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    /// <exception cref="NodeStartException">The cluster has no range for this node.</exception>
    public static async Task<string> ObtainAsync(KubeClient client, string nodeName, TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        var nodes = client.For<Api.Core.Node>();
        var key = new ObjectKey("", nodeName);
        var from = time.GetTimestamp();
        while (true)
        {
            var node = await nodes.FindAsync(key, cancellationToken);
            if (node is null)
            {
                try
                {
                    node = await nodes.CreateAsync(null, new Api.Core.Node { Metadata = new ObjectMeta { Name = nodeName, Labels = new Dictionary<string, string> { ["kubernetes.io/hostname"] = nodeName } } }, cancellationToken);
                }
                catch (ApiStatusException there) when (there.IsAlreadyExists)
                {
                    continue;
                }
            }

            if (node.Spec.PodCIDR is { Length: > 0 } range)
                return range;
            if (time.GetElapsedTime(from) > patience)
                throw new NodeStartException($"node {nodeName} was given no range of pod addresses: 'kubectl describe node {nodeName}' says why");
            await Task.Delay(Look, time, cancellationToken);
        }
    }
}
