using Weft.Api.Schemas;

namespace Weft.Api.GatewayApi;

/// <summary>Something that is done with requests: the member of the type's name says what.</summary>
[Rule("has(self.requestHeaderModifier) == (self.type == 'RequestHeaderModifier')", "requestHeaderModifier is for the type RequestHeaderModifier, which needs it")]
[Rule("has(self.responseHeaderModifier) == (self.type == 'ResponseHeaderModifier')", "responseHeaderModifier is for the type ResponseHeaderModifier, which needs it")]
[Rule("has(self.requestMirror) == (self.type == 'RequestMirror')", "requestMirror is for the type RequestMirror, which needs it")]
[Rule("has(self.requestRedirect) == (self.type == 'RequestRedirect')", "requestRedirect is for the type RequestRedirect, which needs it")]
[Rule("has(self.urlRewrite) == (self.type == 'URLRewrite')", "urlRewrite is for the type URLRewrite, which needs it")]
[Rule("has(self.cors) == (self.type == 'CORS')", "cors is for the type CORS, which needs it")]
[Rule("has(self.extensionRef) == (self.type == 'ExtensionRef')", "extensionRef is for the type ExtensionRef, which needs it")]
public sealed record HTTPRouteFilter
{
    /// <summary>What is done.</summary>
    [Must, OneOf("RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "RequestRedirect", "URLRewrite", "ExtensionRef", "CORS")] public string Type { get; init; } = "";

    /// <summary>Changes fields of the request.</summary>
    public HeaderFilter? RequestHeaderModifier { get; init; }

    /// <summary>Changes fields of the answer.</summary>
    public HeaderFilter? ResponseHeaderModifier { get; init; }

    /// <summary>Sends a copy elsewhere.</summary>
    public MirrorFilter? RequestMirror { get; init; }

    /// <summary>Answers with another address.</summary>
    public RedirectFilter? RequestRedirect { get; init; }

    /// <summary>Changes host and path.</summary>
    public RewriteFilter? UrlRewrite { get; init; }

    /// <summary>Answers browsers that ask whether another site may.</summary>
    public CorsFilter? Cors { get; init; }

    /// <summary>Something of the controller's own.</summary>
    public LocalObjectReference? ExtensionRef { get; init; }
}

/// <summary>Another address.</summary>
public sealed record RedirectFilter
{
    /// <summary>The request's own when absent.</summary>
    [OneOf("http", "https")] public string? Scheme { get; init; }

    /// <summary>The request's own when absent.</summary>
    [Length(1, 253), Pattern(Names.Host)] public string? Hostname { get; init; }

    /// <summary>The request's own when absent.</summary>
    public PathModifier? Path { get; init; }

    /// <summary>That of the scheme, or of the listener, when absent.</summary>
    [RangeOf(1, 65535)] public int? Port { get; init; }

    /// <summary>Of the answer.</summary>
    [Default("302"), Rule("self in [301, 302, 303, 307, 308]", "one of 301, 302, 303, 307 and 308")] public int? StatusCode { get; init; }
}

/// <summary>Another host and path.</summary>
public sealed record RewriteFilter
{
    /// <summary>The request's own when absent.</summary>
    [Length(1, 253), Pattern(Names.Host)] public string? Hostname { get; init; }

    /// <summary>The request's own when absent.</summary>
    public PathModifier? Path { get; init; }
}

/// <summary>Another path.</summary>
[Rule("has(self.replaceFullPath) == (self.type == 'ReplaceFullPath')", "replaceFullPath is for the type ReplaceFullPath, which needs it")]
[Rule("has(self.replacePrefixMatch) == (self.type == 'ReplacePrefixMatch')", "replacePrefixMatch is for the type ReplacePrefixMatch, which needs it")]
public sealed record PathModifier
{
    /// <summary>What is replaced.</summary>
    [Must, OneOf("ReplaceFullPath", "ReplacePrefixMatch")] public string Type { get; init; } = "";

    /// <summary>In place of the whole path.</summary>
    [Length(0, 1024)] public string? ReplaceFullPath { get; init; }

    /// <summary>In place of the prefix that matched.</summary>
    [Length(0, 1024)] public string? ReplacePrefixMatch { get; init; }
}

/// <summary>What other sites may.</summary>
public sealed record CorsFilter
{
    /// <summary>Which sites: https://example.com, https://*.example.com, *.</summary>
    [List(ListType.Set), Count(0, 64), Length(1, 253)] public IReadOnlyList<string> AllowOrigins { get; init; } = [];

    /// <summary>Whether they may send cookies.</summary>
    public bool? AllowCredentials { get; init; }

    /// <summary>By which methods.</summary>
    [List(ListType.Set), Count(0, 9)] public IReadOnlyList<string> AllowMethods { get; init; } = [];

    /// <summary>With which fields.</summary>
    [List(ListType.Set), Count(0, 64), Length(1, 256)] public IReadOnlyList<string> AllowHeaders { get; init; } = [];

    /// <summary>Which fields of the answer they see.</summary>
    [List(ListType.Set), Count(0, 64), Length(1, 256)] public IReadOnlyList<string> ExposeHeaders { get; init; } = [];

    /// <summary>For how many seconds they need not ask again.</summary>
    [RangeOf(1, int.MaxValue), Default("5")] public int? MaxAge { get; init; }
}

/// <summary>What holds of every list of filters.</summary>
internal static class HTTPFilterRules
{
    public const string Once =
        "['RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestRedirect', 'URLRewrite', 'CORS'].all(t, self.filter(f, f.type == t).size() <= 1)";

    public const string OnceMessage = "only RequestMirror and ExtensionRef may be there more than once";
    public const string Excluding = "!(self.exists(f, f.type == 'RequestRedirect') && self.exists(f, f.type == 'URLRewrite'))";
    public const string ExcludingMessage = "RequestRedirect and URLRewrite exclude each other";
}
