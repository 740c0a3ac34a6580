namespace Weft.Api;

/// <summary>A kind in one version of its group. <paramref name="Group"/> is empty for the core group.</summary>
public sealed record GroupVersionKind(string Group, string Version, string Kind)
{
    /// <summary>`apps/v1`, or `v1` for the core group: what stands in an object's apiVersion.</summary>
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    public override string ToString() => $"{ApiVersion}, Kind={Kind}";

    /// <summary>Splits `group/version` or `version`. Null when it is neither.</summary>
    public static (string Group, string Version)? ParseApiVersion(string apiVersion)
    {
        var slash = apiVersion.IndexOf('/');
        if (slash < 0)
            return apiVersion.Length == 0 ? null : ("", apiVersion);
        if (slash == 0 || slash == apiVersion.Length - 1 || apiVersion.IndexOf('/', slash + 1) >= 0)
            return null;
        return (apiVersion[..slash], apiVersion[(slash + 1)..]);
    }
}

public sealed record GroupVersionResource(string Group, string Version, string Resource)
{
    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>`deployments.apps`, or `pods` for the core group: how messages name a resource.</summary>
    public string Qualified => Group.Length == 0 ? Resource : $"{Resource}.{Group}";
}

/// <summary>Namespace (empty for a cluster-scoped object) and name.</summary>
public readonly record struct ObjectKey(string Namespace, string Name)
{
    public override string ToString() => Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";
}
