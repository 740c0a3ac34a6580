using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Config;

/// <summary>Errors never show a value of a secret.</summary>
internal sealed class SecretStrategy : DefaultStrategy
{
    public override bool HasStatus => false;

    public override IReadOnlyDictionary<string, Func<JsonObject, string>> SelectableFields { get; } = new Dictionary<string, Func<JsonObject, string>>
    {
        ["type"] = secret => secret.TextAt("type"),
    }.ToFrozenDictionary();

    public override void Default(JsonObject tree)
    {
        tree.Default("type", "Opaque");
        if (tree.Object("stringData") is not { } texts)
            return;
        if (texts.Any(entry => entry.Value is not null && new Field(entry.Value, "").Text is null) || tree.Ensure("data") is not { } data)
            return;
        foreach (var (key, value) in texts)
            data[key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(value?.GetValue<string>() ?? ""));
        tree.Remove("stringData");
        if (data.Count == 0)
            tree.Remove("data");
    }

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        var data = root["data"];
        long bytes = 0;
        foreach (var (key, value) in data.Entries)
        {
            bytes += DataRules.DecodedLength(value.TextOrEmpty);
            if (NameRules.DataKey(key) is { } wrong)
                yield return FieldError.Invalid(value.Path, Field.Show(key), wrong);
        }
        if (bytes > DataRules.MaxBytes)
            yield return data.TooLong($"may not be more than {DataRules.MaxBytes} bytes");

        foreach (var error in DataRules.Immutable(root, old, ["data"]).Concat(OfType(root, data)))
            yield return error;
        if (old is { } before && before["type"].Text is { Length: > 0 } was && root["type"].Text != was)
            yield return root["type"].Invalid("field is immutable");
    }

    private static IEnumerable<FieldError> OfType(Field root, Field data)
    {
        switch (root["type"].Text)
        {
            case "kubernetes.io/service-account-token":
                var account = root["metadata"]["annotations"].At("kubernetes.io/service-account.name");
                if (account.TextOrEmpty.Length == 0)
                    yield return account.Required();
                break;
            case "kubernetes.io/dockercfg":
                foreach (var error in Json(data, ".dockercfg"))
                    yield return error;
                break;
            case "kubernetes.io/dockerconfigjson":
                foreach (var error in Json(data, ".dockerconfigjson"))
                    yield return error;
                break;
            case "kubernetes.io/basic-auth":
                if (!data.At("username").Exists && !data.At("password").Exists)
                {
                    yield return data.At("username").Required();
                    yield return data.At("password").Required();
                }
                break;
            case "kubernetes.io/ssh-auth":
                if (data.At("ssh-privatekey").TextOrEmpty.Length == 0)
                    yield return data.At("ssh-privatekey").Required();
                break;
            case "kubernetes.io/tls":
                foreach (var key in (string[])["tls.crt", "tls.key"])
                {
                    if (!data.At(key).Exists)
                        yield return data.At(key).Required();
                }
                break;
        }
    }

    private static IEnumerable<FieldError> Json(Field data, string key)
    {
        if (!data.At(key).Exists)
            yield return data.At(key).Required();
        else if (!IsJson(data.At(key).TextOrEmpty))
            yield return FieldError.Invalid($"data[{key}]", "\"<secret contents redacted>\"", "must be JSON");
    }

    private static bool IsJson(string base64)
    {
        var buffer = new byte[base64.Length];
        if (!Convert.TryFromBase64String(base64, buffer, out var length))
            return false;
        var reader = new Utf8JsonReader(buffer.AsSpan(0, length));
        try
        {
            while (reader.Read())
            {
            }
            return length > 0;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
