namespace Weft.ApiServer.Registry;

/// <summary>Where objects stand in the store.</summary>
internal static class Keys
{
    public static string Of(ResourceInfo resource, string ns, string name) =>
        resource.Namespaced ? $"{resource.StoragePrefix}{ns}/{name}" : resource.StoragePrefix + name;

    /// <summary>All objects of the resource, or those of one namespace.</summary>
    public static string Prefix(ResourceInfo resource, string ns) =>
        resource.Namespaced && ns.Length > 0 ? $"{resource.StoragePrefix}{ns}/" : resource.StoragePrefix;

    public static string Namespace(string name) => "/registry/core/namespaces/" + name;

    /// <summary>The last segment of a key.</summary>
    public static string NameOf(string key) => key[(key.LastIndexOf('/') + 1)..];

    /// <summary>The namespace and name of a key of the resource.</summary>
    public static (string Namespace, string Name) Split(ResourceInfo resource, string key)
    {
        var rest = key.AsSpan(resource.StoragePrefix.Length);
        var slash = rest.IndexOf('/');
        return slash < 0 ? ("", rest.ToString()) : (rest[..slash].ToString(), rest[(slash + 1)..].ToString());
    }
}
