using Weft.Proxy.Config.Model;

namespace Weft.Control.Mesh.FrontDoor.Policies;

/// <summary>Filters that ask who is there.</summary>
internal static class Credentials
{
    /// <param name="users">Lines of `name:hash`; none: nobody is let in.</param>
    public static BasicAuthFilter Basic(ValueList<string> users, string realm) => new()
    {
        Users = new() { Inline = users.IsEmpty ? "# nobody\n" : string.Concat(users.Select(user => user + "\n")) },
        Realm = new string([.. realm.Where(c => c is >= ' ' and <= '~' and not '"' and not '\\')]),
    };
}
