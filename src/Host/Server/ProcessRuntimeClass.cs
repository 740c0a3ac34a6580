using Weft.Api;
using Weft.Api.Nodes;
using Weft.Client;

namespace Weft.Host.Server;

/// <summary>The RuntimeClass `process` is there from the start: without it no process pod can be asked for.</summary>
internal static class ProcessRuntimeClass
{
    internal static async Task EnsureAsync(KubeClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.For<RuntimeClass>().CreateAsync(null, new RuntimeClass { Metadata = new() { Name = "process" }, Handler = "process" }, cancellationToken);
        }
        catch (ApiStatusException there) when (there.IsAlreadyExists)
        {
            // From an earlier start; what its owner changed stays.
        }
    }
}
