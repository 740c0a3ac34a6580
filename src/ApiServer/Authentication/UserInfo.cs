namespace Weft.ApiServer.Authentication;

/// <summary>Who makes a request, as an authenticator found it.</summary>
public sealed record UserInfo(string Name, IReadOnlyList<string> Groups)
{
    public string Uid { get; init; } = "";
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Extra { get; init; } =
        System.Collections.Frozen.FrozenDictionary<string, IReadOnlyList<string>>.Empty;

    public const string AllAuthenticated = "system:authenticated";
    public const string AllUnauthenticated = "system:unauthenticated";
    public const string Masters = "system:masters";

    public static UserInfo Anonymous { get; } = new("system:anonymous", [AllUnauthenticated]);
}
