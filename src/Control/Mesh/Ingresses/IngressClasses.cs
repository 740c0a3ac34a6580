using Weft.Api.Networking;
using Weft.Control.Mesh.Diagnostics;

namespace Weft.Control.Mesh.Ingresses;

/// <summary>Whose an Ingress is.</summary>
internal static class IngressClasses
{
    public const string Name = "weft";

    public const string Controller = "weft.dev/front-door";

    public const string IsDefault = "ingressclass.kubernetes.io/is-default-class";

    /// <summary>On our class: ranges of proxies in front of the front door, by commas.</summary>
    public const string TrustedProxies = "weft.dev/trusted-proxies";

    private const string OldAnnotation = "kubernetes.io/ingress.class";

    /// <summary>Those of our classes, and those without a class unless another controller's class is the default.</summary>
    public static IEnumerable<Ingress> Ours(IEnumerable<Ingress> all, IReadOnlyCollection<IngressClass> classes)
    {
        var ours = classes.Where(IsOurs).Select(value => value.Metadata.Name).Append(Name).ToHashSet();
        ours.ExceptWith(classes.Where(value => !IsOurs(value)).Select(value => value.Metadata.Name));
        var takesAll = classes.Any(value => IsOurs(value) && IsTheDefault(value)) || !classes.Any(IsTheDefault);
        return all.Where(ingress => ClassOf(ingress) is { } name ? ours.Contains(name) : takesAll);
    }

    /// <summary>Nobody's: its class is none that there is.</summary>
    public static IEnumerable<Ingress> Strays(IEnumerable<Ingress> all, IReadOnlyCollection<IngressClass> classes)
    {
        var known = classes.Select(value => value.Metadata.Name).Append(Name).ToHashSet();
        // The old annotation needed no class object: its controllers knew their names.
        return all.Where(ingress => ingress.Spec.IngressClassName is { Length: > 0 } name && !known.Contains(name));
    }

    public static bool IsOurs(IngressClass value) => value.Spec.Controller == Controller;

    public static string? ClassOf(Ingress ingress)
        => ingress.Spec.IngressClassName is { Length: > 0 } name ? name : ingress.Metadata.Annotations.GetValueOrDefault(OldAnnotation) is { Length: > 0 } old ? old : null;

    public static void CheckStray(Ingress ingress, List<MeshDiagnostic> diagnostics)
        => Problems.Of(ingress, diagnostics).Warn("spec.ingressClassName", $"there is no IngressClass '{ingress.Spec.IngressClassName}', so nobody serves it; the front door's is '{Name}'");

    /// <summary>What a class of ours says of proxies in front.</summary>
    public static IEnumerable<string> ProxiesOf(IngressClass value)
        => (value.Metadata.Annotations.GetValueOrDefault(TrustedProxies) ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static bool IsTheDefault(IngressClass value) => value.Metadata.Annotations.GetValueOrDefault(IsDefault) == "true";
}
