namespace Weft.ApiServer.Authentication;

/// <summary>The user and groups that a service account is known by.</summary>
public static class ServiceAccountNames
{
    public const string AllServiceAccounts = "system:serviceaccounts";
    private const string Prefix = "system:serviceaccount:";

    public static string User(string ns, string name) => Prefix + ns + ":" + name;

    public static string[] Groups(string ns) => [AllServiceAccounts, AllServiceAccounts + ":" + ns];

    /// <summary>Namespace and name, or null when the user is no service account.</summary>
    public static (string Namespace, string Name)? Parse(string user)
    {
        if (!user.StartsWith(Prefix, StringComparison.Ordinal))
            return null;
        var parts = user[Prefix.Length..].Split(':');
        return parts is [{ Length: > 0 } ns, { Length: > 0 } name] ? (ns, name) : null;
    }
}
