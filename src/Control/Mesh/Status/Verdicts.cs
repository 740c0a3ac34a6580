using System.Collections.Immutable;
using Weft.Api;
using Weft.Control.Configuration;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Secrets;
using Weft.Proxy.Config;

namespace Weft.Control.Mesh.Status;

/// <summary>From what was compiled to what each object is told. Pure.</summary>
internal static class Verdicts
{
    /// <param name="before">Verdicts of which those stay, as the same instance, that say the same of the same generation.</param>
    /// <param name="version">Of the configuration that has what was compiled.</param>
    public static Dictionary<ObjectRef, ObjectVerdict> Of(
        IEnumerable<KeyValuePair<ObjectRef, IObject>> objects, IEnumerable<MeshDiagnostic> diagnostics, IReadOnlyDictionary<ObjectRef, ObjectVerdict> before, ulong version, DateTimeOffset now)
    {
        var problems = diagnostics.Distinct().GroupBy(problem => problem.Object).ToDictionary(group => group.Key, group => group.ToImmutableArray());
        var verdicts = new Dictionary<ObjectRef, ObjectVerdict>();
        foreach (var (about, value) in objects)
        {
            var own = problems.GetValueOrDefault(about, []);
            var known = before.GetValueOrDefault(about);
            if (known is null || !known.IsOf(value))
                verdicts[about] = new(value.Metadata.Uid ?? "", value.Metadata.Generation ?? 0, own, version, now);
            else
                verdicts[about] = known.Diagnostics.SequenceEqual(own) ? known : known with { Diagnostics = own };
        }

        return verdicts;
    }

    /// <summary>Where there is no mesh nobody serves by its objects. Names are another matter: they are answered all the same.</summary>
    public static IReadOnlyDictionary<ObjectRef, string> Off(IEnumerable<KeyValuePair<ObjectRef, IObject>> objects) =>
        objects.Where(pair => pair.Key.Kind != "ServiceMesh").ToDictionary(pair => pair.Key, _ => "the cluster runs without its mesh, so nobody serves by it: weft down, then weft up --mesh on");

    /// <summary>Objects whose units proxies do not use, each with what the first of them says.</summary>
    public static IReadOnlyDictionary<ObjectRef, string> Rejections(IEnumerable<ProxyState> proxies, MeshSnapshot snapshot)
    {
        var refused = new Dictionary<UnitKey, string>();
        foreach (var proxy in proxies.OrderBy(proxy => proxy.Proxy, StringComparer.Ordinal))
        {
            foreach (var rejection in proxy.Rejected)
                refused.TryAdd(rejection.Key, $"proxy {proxy.Proxy} does not use {rejection.Key}: {rejection.Path} {rejection.Error}");
        }

        var objects = new Dictionary<ObjectRef, string>();
        if (refused.Count == 0)
            return objects;
        foreach (var (key, reason) in refused.Where(pair => pair.Key.Kind != UnitKind.Secret))
        {
            foreach (var about in snapshot.ObjectsOf(key))
                objects.TryAdd(about, reason);
        }

        // The text of a Secret's rejection may have what the proxy read.
        foreach (var reference in snapshot.Index is null ? [] : SecretReferences.Of(snapshot.Index.Inputs))
        {
            if (refused.ContainsKey(new(UnitKind.Secret, reference.Secret)))
                objects.TryAdd(Problems.RefOf(reference.Object), $"{reference.Field}: a proxy cannot use Secret {reference.Secret}");
        }

        return objects;
    }
}
