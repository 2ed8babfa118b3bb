using YamlDotNet.RepresentationModel;

namespace MeshTrust.Kubeconfig;

/// <summary>Takes the files that an entry names into the entry, so that it can move to another directory.</summary>
internal static class KubeconfigFiles
{
    internal static KubeconfigEntry Inline(KubeconfigEntry entry, string key, Func<string, byte[]?> readFile, List<Problem> problems)
    {
        // As kubectl: the data wins over the file.
        if (entry.Text(key + "-data") is not null) return entry.With((key, null));
        if (entry.Text(key) is not { } file) return entry;
        var path = entry.Resolve(file);
        if (readFile(path) is { } bytes) return entry.With((key, null), (key + "-data", Convert.ToBase64String(bytes)));
        problems.Add(new Problem("MT0208", entry.PlaceOf(key),
            $"'{key}' of '{entry.Name}' names the file {path}, which does not exist or may not be read.",
            "Restore the file, correct the path, or log in to the cluster again."));
        return entry;
    }

    /// <summary>A token file stays a file, because others renew it; a command with a path stays that command.</summary>
    internal static KubeconfigEntry MakeAbsolute(KubeconfigEntry user)
    {
        if (user.Text("tokenFile") is { } token) user = user.With(("tokenFile", user.Resolve(token)));
        if (user.Node("exec") is not YamlMappingNode exec) return user;
        var command = new KubeconfigEntry(user.Name, user.Source, user.Line, exec);
        if (command.Text("command") is not { } path || !path.AsSpan().ContainsAny('/', '\\') || Path.IsPathRooted(path)) return user;
        var body = new YamlMappingNode(user.Body.Children.Where(c => ((YamlScalarNode)c.Key).Value != "exec"));
        body.Add("exec", command.With(("command", user.Resolve(path))).Body);
        return user with { Body = body };
    }
}
