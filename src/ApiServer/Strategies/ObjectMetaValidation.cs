using System.Text;
using Weft.Api;

namespace Weft.ApiServer.Strategies;

/// <summary>The rules for metadata that hold for every kind.</summary>
internal static class ObjectMetaValidation
{
    // Kubernetes' limit on keys and values of all annotations together.
    private const int MaxAnnotationBytes = 256 * 1024;

    /// <param name="nameRule">Answers what is wrong with a name, or null.</param>
    public static IEnumerable<FieldError> Validate(Field meta, Field? old, bool namespaced, Func<string, string?> nameRule)
    {
        var generate = meta["generateName"];
        if (generate.TextOrEmpty.Length > 0 && nameRule(generate.TextOrEmpty.TrimEnd('-', '.') + "x") is { } wrongPrefix)
            yield return generate.Invalid(wrongPrefix);

        var name = meta["name"];
        if (name.TextOrEmpty.Length == 0)
            yield return name.Required("name or generateName is required");
        else if (nameRule(name.TextOrEmpty) is { } wrongName)
            yield return name.Invalid(wrongName);

        var ns = meta["namespace"];
        if (namespaced)
        {
            if (ns.TextOrEmpty.Length == 0)
                yield return ns.Required();
            else if (NameRules.DnsLabel(ns.TextOrEmpty) is { } wrongNamespace)
                yield return ns.Invalid(wrongNamespace);
        }
        else if (ns.TextOrEmpty.Length > 0)
            yield return ns.Forbidden("not allowed on this type");

        if (meta["generation"].Number < 0)
            yield return meta["generation"].Invalid("must be greater than or equal to 0");

        foreach (var error in Labels(meta["labels"]).Concat(Annotations(meta["annotations"])).Concat(Owners(meta["ownerReferences"])))
            yield return error;

        foreach (var finalizer in meta["finalizers"].Items)
        {
            if (NameRules.QualifiedName(finalizer.TextOrEmpty) is { } wrong)
                yield return finalizer.Invalid(wrong);
        }

        if (old is not { } before)
            yield break;
        foreach (var field in (string[])["name", "namespace", "uid", "creationTimestamp"])
        {
            var (now, then) = (meta[field], before[field]);
            if (now.Exists && then.Exists && !now.Value.SameAs(then.Value))
                yield return now.Invalid("field is immutable");
        }

        // Once the removal has begun nothing may hold it longer.
        if (before["deletionTimestamp"].Exists)
        {
            var known = before["finalizers"].Items.Select(item => item.Text).ToHashSet();
            var added = meta["finalizers"].Items.Where(item => !known.Contains(item.Text)).Select(item => item.Text).ToList();
            if (added.Count > 0)
                yield return meta["finalizers"].Forbidden($"no new finalizers can be added if the object is being deleted, found new finalizers {string.Join(", ", added)}");
        }
    }

    public static IEnumerable<FieldError> Labels(Field labels)
    {
        foreach (var (key, value) in labels.Entries)
        {
            if (NameRules.QualifiedName(key) is { } wrongKey)
                yield return FieldError.Invalid(labels.Path, Field.Show(key), wrongKey);
            if (NameRules.LabelValue(value.TextOrEmpty) is { } wrongValue)
                yield return FieldError.Invalid(labels.Path, value.Shown, wrongValue);
        }
    }

    public static IEnumerable<FieldError> Annotations(Field annotations)
    {
        long bytes = 0;
        foreach (var (key, value) in annotations.Entries)
        {
            if (NameRules.QualifiedName(key.ToLowerInvariant()) is { } wrong)
                yield return FieldError.Invalid(annotations.Path, Field.Show(key), wrong);
            bytes += Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value.TextOrEmpty);
        }
        if (bytes > MaxAnnotationBytes)
            yield return annotations.TooLong($"may not be more than {MaxAnnotationBytes} bytes");
    }

    private static IEnumerable<FieldError> Owners(Field owners)
    {
        Field? controller = null;
        foreach (var owner in owners.Items)
        {
            var version = owner["apiVersion"];
            if (version.Exists && GroupVersionKind.ParseApiVersion(version.TextOrEmpty) is not { Version.Length: > 0 })
                yield return version.Invalid("version must not be empty");
            foreach (var member in (string[])["kind", "name", "uid"])
            {
                if (owner[member].IsBlank)
                    yield return owner[member].Invalid($"{member} must not be empty");
            }
            if (version.Text == "v1" && owner["kind"].Text == "Event")
                yield return owner.Invalid("an event is disallowed from being an owner");
            if (!owner["controller"].IsTrue)
                continue;
            if (controller is { } first)
                yield return owners.Invalid(
                    $"only one reference can have controller set to true: {first["kind"].Text}/{first["name"].Text} and {owner["kind"].Text}/{owner["name"].Text} have");
            controller ??= owner;
        }
    }
}
