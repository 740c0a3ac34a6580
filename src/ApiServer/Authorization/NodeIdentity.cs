using Weft.ApiServer.Authentication;

namespace Weft.ApiServer.Authorization;

/// <summary>A node agent is `system:node:&lt;name&gt;` of the group `system:nodes`.</summary>
public static class NodeIdentity
{
    public const string Group = "system:nodes";
    public const string Prefix = "system:node:";

    /// <summary>The node's name, or null when the user is no node.</summary>
    public static string? NodeName(UserInfo user) =>
        user.Name.Length > Prefix.Length && user.Name.StartsWith(Prefix, StringComparison.Ordinal) && user.Groups.Contains(Group) ? user.Name[Prefix.Length..] : null;
}
