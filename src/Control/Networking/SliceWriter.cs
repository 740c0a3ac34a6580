using System.Collections.Immutable;
using Weft.Api.Discovery;
using Weft.Control.Runtime;

namespace Weft.Control.Networking;

/// <summary>Carries out what <see cref="SlicePlanner"/> finds.</summary>
internal static class SliceWriter
{
    public static async Task ApplyAsync(
        CachedResource<EndpointSlice> slices, string @namespace, ImmutableArray<SliceStep> steps, CancellationToken cancellationToken)
    {
        foreach (var step in steps)
        {
            switch (step)
            {
                case SliceStep.Create create:
                    await slices.CreateAsync(@namespace, create.Slice, cancellationToken);
                    break;
                case SliceStep.Update update:
                    if (Patches.Object(update.Old, update.New) is { } patch)
                        await slices.PatchAsync(update.Old, patch, cancellationToken);
                    break;
                case SliceStep.Delete delete:
                    await slices.DeleteAsync(delete.Slice, cancellationToken);
                    break;
                default:
                    throw new InvalidOperationException($"Unknown step {step}.");
            }
        }
    }
}
