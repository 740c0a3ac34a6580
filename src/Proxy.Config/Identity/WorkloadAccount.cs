namespace Weft.Proxy.Config.Identity;

/// <summary>A service account: what an identity of the mesh stands for.</summary>
public readonly record struct WorkloadAccount(string Namespace, string Name)
{
    /// <summary>As whom the front door sends, on every node (the names of Istio's own gateway).</summary>
    public static readonly WorkloadAccount FrontDoor = new("istio-system", "istio-ingressgateway-service-account");

    // A name of Kubernetes (RFC 1123 subdomain).
    private const int MaxName = 253;
    private const string Scheme = "spiffe://";

    /// <summary>`spiffe://cluster.local/ns/shop/sa/web`.</summary>
    public string Identity(string trustDomain) => $"{Scheme}{trustDomain}/ns/{Namespace}/sa/{Name}";

    /// <summary>Both are names as Kubernetes has them: they can stand in an identity and be the name of a file.</summary>
    public bool IsValid => IsName(Namespace, dots: false) && IsName(Name, dots: true);

    public override string ToString() => $"{Namespace}/{Name}";

    private static bool IsName(string? name, bool dots) =>
        name is { Length: > 0 and <= MaxName } && char.IsAsciiLetterOrDigit(name[0]) && char.IsAsciiLetterOrDigit(name[^1])
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-' || (dots && c == '.')) && !name.Contains("..", StringComparison.Ordinal);
}
