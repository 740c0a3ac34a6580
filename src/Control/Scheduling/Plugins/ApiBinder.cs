using System.Text.Json.Nodes;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Scheduling.Framework;
using Weft.Control.Scheduling.Model;

namespace Weft.Control.Scheduling.Plugins;

/// <summary>Writes the placement by POST to the pod's binding subresource. The uid makes a pod of the same name that came since a conflict.</summary>
internal sealed class ApiBinder(KubeClient client) : IBindPlugin
{
    public string Name => "DefaultBinder";

    public async Task BindAsync(PodInfo pod, string node, CancellationToken cancellationToken)
    {
        var binding = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Binding",
            ["metadata"] = new JsonObject { ["name"] = pod.Key.Name, ["namespace"] = pod.Key.Namespace, ["uid"] = pod.Pod.Metadata.Uid },
            ["target"] = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Node", ["name"] = node },
        };
        await client.For<Pod>().PostAsync(pod.Key, "binding", binding, cancellationToken);
    }
}
