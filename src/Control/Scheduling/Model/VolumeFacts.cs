using System.Collections.Immutable;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Storage;

namespace Weft.Control.Scheduling.Model;

/// <summary>Claims, volumes and storage classes at one moment. Immutable.</summary>
internal sealed record VolumeFacts(
    ImmutableDictionary<ObjectKey, PersistentVolumeClaim> Claims,
    ImmutableDictionary<string, PersistentVolume> Volumes,
    ImmutableDictionary<string, StorageClass> Classes)
{
    public static readonly VolumeFacts None = new(
        ImmutableDictionary<ObjectKey, PersistentVolumeClaim>.Empty, ImmutableDictionary<string, PersistentVolume>.Empty, ImmutableDictionary<string, StorageClass>.Empty);
}
