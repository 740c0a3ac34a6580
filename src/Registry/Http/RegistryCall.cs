using Microsoft.AspNetCore.Http;
using Weft.Registry.Names;

namespace Weft.Registry.Http;

/// <summary>One request on a repository, with what all handlers need of it.</summary>
/// <param name="Name">As the client wrote it: answers speak of it in the same way.</param>
internal sealed record RegistryCall(HttpContext Context, RegistryRoute Route, RepositoryName Repository)
{
    internal string Name => Route.Name;
    internal HttpRequest Request => Context.Request;
    internal HttpResponse Response => Context.Response;
    internal CancellationToken Aborted => Context.RequestAborted;
    internal bool IsHead => HttpMethods.IsHead(Request.Method);

    /// <summary>A path for `Location`, which a mirror's client has to call with the same origin.</summary>
    internal string Location(string rest) =>
        $"/v2/{Name}/{rest}" + (Request.Query["ns"].ToString() is { Length: > 0 } origin ? "?ns=" + Uri.EscapeDataString(origin) : "");

    internal Digest Digest(string text) =>
        Names.Digest.TryParse(text) ?? throw RegistryException.DigestInvalid($"'{text}' is no digest: sha256: and 64 lower-case hexadecimal digits");

    internal RegistryException NoSuchMethod() => RegistryException.Unsupported($"{Request.Method} is not possible on {Request.Path}");
}
