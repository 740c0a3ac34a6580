using System.Text.Json.Nodes;
using Weft.Api.Cel;
using Weft.ApiServer.Admission;

namespace Weft.ApiServer.Webhooks;

/// <summary>Expressions about requests: match conditions of webhooks, and policies.</summary>
internal static class AdmissionExpressions
{
    /// <summary>What every such expression may name. All are dynamic: a rule may match many kinds.</summary>
    public static IReadOnlyDictionary<string, CelType> Variables { get; } =
        new Dictionary<string, CelType> { ["object"] = CelType.Dyn, ["oldObject"] = CelType.Dyn, ["request"] = CelType.Dyn };

    /// <summary>What the expressions of policies see besides; params only with a paramKind, variables only where there are some before.</summary>
    public static IReadOnlyDictionary<string, CelType> PolicyVariables { get; } = new Dictionary<string, CelType>(Variables) { ["namespaceObject"] = CelType.Dyn };

    public static bool IsName(string text) => text.Length > 0 && (char.IsAsciiLetter(text[0]) || text[0] == '_') && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    /// <returns>False when a condition does not hold, which decides whatever the others say; an error when none is false and one fails.</returns>
    public static (bool Holds, string? Error) All(IReadOnlyList<(string Name, CelProgram Program)> conditions, ReadOnlySpan<(string, CelInput)> variables)
    {
        string? error = null;
        var left = CelLimits.MatchConditions;
        foreach (var (name, program) in conditions)
        {
            try
            {
                var outcome = program.Evaluate(Math.Min(left, CelLimits.PerExpression), variables);
                left -= Math.Min(left, CelLimits.PerExpression) - outcome.Left;
                if (outcome.IsFalse)
                    return (false, null);
                if (!outcome.IsTrue)
                    error ??= $"matchCondition '{name}': {outcome.Error ?? "gives no bool"}";
            }
            catch (CelBudgetException e)
            {
                error ??= $"matchCondition '{name}': {e.Message}";
                break;
            }
        }
        return (error is null, error);
    }
}

/// <summary>The `request` of an AdmissionReview: what webhooks are sent and expressions see.</summary>
internal static class AdmissionRequestJson
{
    /// <param name="form">The request as the webhook is to see it; its kind may be another version than the one asked for.</param>
    public static JsonObject Of(AdmissionRequest request, AdmissionForm form, string uid)
    {
        var operation = request.Operation.ToString();
        var json = new JsonObject
        {
            ["uid"] = uid,
            ["kind"] = new JsonObject { ["group"] = form.Kind.Group, ["version"] = form.Kind.Version, ["kind"] = form.Kind.Kind },
            ["resource"] = new JsonObject { ["group"] = form.Resource.Group, ["version"] = form.Resource.Version, ["resource"] = form.Resource.Resource },
            ["requestKind"] = new JsonObject { ["group"] = form.RequestKind.Group, ["version"] = form.RequestKind.Version, ["kind"] = form.RequestKind.Kind },
            ["requestResource"] = new JsonObject { ["group"] = request.Resource.Group, ["version"] = request.Resource.Version, ["resource"] = request.Resource.Resource },
            ["operation"] = operation.ToUpperInvariant(),
            ["userInfo"] = User(request.User),
            ["dryRun"] = request.DryRun,
            ["options"] = new JsonObject { ["kind"] = $"{operation}Options", ["apiVersion"] = "meta.k8s.io/v1" },
        };
        if (request.Subresource.Length > 0)
            (json["subResource"], json["requestSubResource"]) = (request.Subresource, request.Subresource);
        if (request.Name.Length > 0)
            json["name"] = request.Name;
        // A namespace counts as lying in itself.
        var ns = request.Resource is { Group: "", Resource: "namespaces" } ? request.Name : request.Namespace;
        if (ns.Length > 0)
            json["namespace"] = ns;
        json["object"] = form.Object?.DeepClone();
        json["oldObject"] = form.OldObject?.DeepClone();
        return json;
    }

    private static JsonObject User(Authentication.UserInfo user)
    {
        var json = new JsonObject { ["username"] = user.Name, ["groups"] = Texts(user.Groups) };
        if (user.Uid.Length > 0)
            json["uid"] = user.Uid;
        if (user.Extra.Count > 0)
            json["extra"] = new JsonObject(user.Extra.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)Texts(entry.Value))));
        return json;
    }

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode?)text)]);
}
