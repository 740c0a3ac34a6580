using System.Text.Json.Nodes;
using Weft.Api.Trees;

namespace Weft.Client;

/// <summary>A kubeconfig file (`kind: Config`), of which one context is used.</summary>
public sealed class Kubeconfig
{
    // kubeconfigs hold certificates, not data: a larger file is a mistake.
    private const int MaxBytes = 4 * 1024 * 1024;

    private readonly JsonObject _tree;
    private readonly string _source;

    private Kubeconfig(JsonObject tree, string source)
    {
        _tree = tree;
        _source = source;
    }

    public string? CurrentContext => Text(_tree, "current-context");

    /// <summary>The first that is given: the path, `KUBECONFIG` (its first existing file), `~/.kube/config`.</summary>
    /// <exception cref="KubeconfigException">There is no such file, or it is no kubeconfig.</exception>
    public static Kubeconfig Load(string? path, string? kubeconfigVariable, string homeDirectory)
    {
        var candidates = path is not null
            ? [path]
            : (kubeconfigVariable ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
                .Append(Path.Combine(homeDirectory, ".kube", "config")).ToArray();
        var file = candidates.FirstOrDefault(File.Exists)
            ?? throw new KubeconfigException($"There is no kubeconfig at {string.Join(" or ", candidates)}: name one with --kubeconfig.");
        if (new FileInfo(file).Length > MaxBytes)
            throw new KubeconfigException($"{file} is larger than {MaxBytes} bytes: this is no kubeconfig.");
        return Parse(File.ReadAllText(file), file);
    }

    /// <param name="source">The file: for messages, and the directory that relative paths in it refer to.</param>
    public static Kubeconfig Parse(string yaml, string source)
    {
        try
        {
            return YamlTree.Parse(yaml).Root is JsonObject tree
                ? new Kubeconfig(tree, source)
                : throw new KubeconfigException($"{source} is no kubeconfig: it is not a YAML mapping.");
        }
        catch (TreeException broken)
        {
            throw new KubeconfigException($"{source} is no kubeconfig: {broken.Message}");
        }
    }

    /// <summary>Server and credentials of a context; null: the current one.</summary>
    public ClusterAccess Access(string? contextName = null)
    {
        contextName ??= CurrentContext;
        if (string.IsNullOrEmpty(contextName))
            throw new KubeconfigException($"{_source} has no current context: name one with --context.");
        var context = Named("contexts", contextName, "context");
        var cluster = Named("clusters", Text(context, "cluster") ?? "", "cluster");
        var user = Text(context, "user") is { Length: > 0 } userName ? Named("users", userName, "user") : [];

        foreach (var unsupported in (string[])["exec", "auth-provider"])
        {
            if (user.ContainsKey(unsupported))
                throw new KubeconfigException($"{_source}: the user of context '{contextName}' uses '{unsupported}', which is not supported: use a token or a client certificate.");
        }

        var server = Text(cluster, "server");
        if (!Uri.TryCreate(server, UriKind.Absolute, out var address) || address.Scheme is not ("https" or "http"))
            throw new KubeconfigException($"{_source}: the server '{server}' of context '{contextName}' is no http or https address.");
        return new ClusterAccess
        {
            Server = address,
            Namespace = Text(context, "namespace") is { Length: > 0 } ns ? ns : "default",
            ServerName = Text(cluster, "tls-server-name"),
            SkipServerCheck = Text(cluster, "insecure-skip-tls-verify") == "true",
            CertificateAuthorityPem = Material(cluster, "certificate-authority"),
            ClientCertificatePem = Material(user, "client-certificate"),
            ClientKeyPem = Material(user, "client-key"),
            Token = Text(user, "token") ?? (Text(user, "tokenFile") is { } tokenFile ? ReadFile(tokenFile, "tokenFile").Trim() : null),
        };
    }

    private JsonObject Named(string list, string name, string member)
    {
        var entry = (_tree[list] as JsonArray ?? []).FirstOrDefault(candidate => candidate is JsonObject o && Text(o, "name") == name)
            ?? throw new KubeconfigException($"{_source} has no {member} named '{name}'.");
        return entry[member] as JsonObject ?? [];
    }

    // `x-data` holds base64 and wins over `x`, a file.
    private string? Material(JsonObject holder, string name)
    {
        if (Text(holder, name + "-data") is { Length: > 0 } data)
        {
            try
            {
                return System.Text.Encoding.ASCII.GetString(Convert.FromBase64String(data));
            }
            catch (FormatException)
            {
                throw new KubeconfigException($"{_source}: {name}-data is not base64."); // never with its content: it may be a key
            }
        }

        return Text(holder, name) is { Length: > 0 } file ? ReadFile(file, name) : null;
    }

    private string ReadFile(string file, string member)
    {
        var full = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(_source)) ?? "", file);
        try
        {
            return File.ReadAllText(full);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new KubeconfigException($"{_source}: {member} cannot be read: {unreadable.Message}");
        }
    }

    private static string? Text(JsonObject holder, string member) => holder[member] switch
    {
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        JsonValue value => value.ToJsonString(), // `insecure-skip-tls-verify: true`
        _ => null,
    };
}

/// <summary>A kubeconfig cannot be used; the message says why and what to do.</summary>
public sealed class KubeconfigException(string message) : Exception(message);
