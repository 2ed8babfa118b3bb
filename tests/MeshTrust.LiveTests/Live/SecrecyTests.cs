using System.Text.Json.Nodes;

namespace MeshTrust.Tests.Live;

/// <summary>No line of any private key, and no passphrase, appears outside its own file.</summary>
[TestFixture, NonParallelizable]
public sealed class SecrecyTests
{
    private static readonly string[] Quick = ["--work-dir=mesh", "--rootca-keysz=p256", "--intermediate-keysz=2048", "--verbosity=diagnostic", "--provider=embedded"];

    [TestCase("table")]
    [TestCase("plain")]
    [TestCase("json")]
    public void A_run_shows_no_key(string form)
    {
        using var scratch = new ScratchDirectory();
        const string Passphrase = "correct horse battery staple";
        scratch.Write("passphrase", Passphrase + "\n");
        using var host = HostProcess.Start(scratch.Location, ["--target=Verify", "--rootca-passphrase-file=passphrase", "--output=" + form, .. Quick]);
        var seen = WatchProcess(host);
        var code = host.WaitForExit();
        Assert.That(code, Is.Zero, host.Output);

        Assert.That(File.ReadAllText(scratch.File("mesh/certs/root-key.pem")), Does.StartWith("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
        HashSet<string> secrets = [.. SecretText.In(scratch.Location), Passphrase];
        var open = Directory.EnumerateFiles(scratch.Location, "*", SearchOption.AllDirectories).Where(file => SecretText.IsReadable(file) && IsOpen(file)).ToList();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(secrets, Has.Count.GreaterThan(40), "keys of a root, two clusters and two API servers");
            Assert.That(open.Select(Path.GetFileName), Is.SupersetOf(new[] { "env.sh", "meshtrust.env", "topology-config.json", "junit_meshtrust.xml", "summary.json", "summary.md", "report.html", "ca-cert.pem" }));
            Assert.That(secrets.Where(host.Output.Contains), Is.Empty, "standard output and error");
            Assert.That(secrets.Where(seen.Contains), Is.Empty, "command line and environment");
            foreach (var file in open) Assert.That(secrets.Where(File.ReadAllText(file).Contains), Is.Empty, file);
            foreach (var metadata in Metadata(scratch)) Assert.That(secrets.Where(metadata.Contains), Is.Empty, "metadata of an object");
        }
    }

    [TestCase("root-key.pem", 7, "ClusterCacerts", false)]
    [TestCase("cluster1/ca-key.pem", 8, "PushSecrets", true)]
    public void A_run_that_fails_because_of_a_key_does_not_show_it(string file, int expected, string target, bool exclusive)
    {
        using var scratch = new ScratchDirectory();
        Assert.That(HostProcess.Run(scratch.Location, ["--target=Verify", .. Quick]).ExitCode, Is.Zero);
        var secrets = SecretText.In(scratch.Location);
        var path = scratch.File("mesh/certs/" + file);
        var text = File.ReadAllText(path);
        File.WriteAllText(path, text + text);

        var (code, output) = HostProcess.Run(scratch.Location, ["--target=" + target, .. Quick, .. exclusive ? ["--exclusive"] : Array.Empty<string>()]);

        Assert.That(code, Is.EqualTo(expected), output);
        Assert.That(secrets.Where(output.Contains), Is.Empty);
    }

    /// <summary>A pipeline secret with a kubeconfig was put into KUBECONFIG itself instead of into a file.</summary>
    [TestCase("KUBECONFIG", "yaml", "MT0021")]
    [TestCase("KUBECONFIG", "json", "MT0021")]
    [TestCase("KUBECONFIG", "base64", "MT0021")]
    [TestCase("KUBECONFIG", "wrapped base64", "MT0021")]
    [TestCase("CTX_CLUSTER1", "yaml", "MT0021")]
    [TestCase("CLUSTER_TOPOLOGY_CONFIG_FILE", "base64", "MT0021")]
    public void A_kubeconfig_in_a_variable_is_recognized_and_not_printed(string variable, string form, string id)
    {
        using var scratch = new ScratchDirectory();
        Assert.That(HostProcess.Run(scratch.Location, ["--target=SetContexts", .. Quick]).ExitCode, Is.Zero);
        var secrets = SecretText.In(scratch.Location);
        var text = File.ReadAllText(scratch.File("mesh/kubeconfig/cluster1"));
        var base64 = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text));
        var value = form switch
        {
            "yaml" => text,
            "json" => JsonNode.Parse(System.Text.Json.JsonSerializer.Serialize(new Dictionary<string, string> { ["apiVersion"] = "v1", ["kind"] = "Config", ["client-key-data"] = secrets.MaxBy(s => s.Length)! }))!.ToJsonString(),
            "base64" => base64,
            _ => string.Join('\n', base64.Chunk(76).Select(line => new string(line))),
        };
        var hidden = secrets.Concat(base64.Chunk(76).Select(line => new string(line))).ToList();

        foreach (var arguments in new string[][] { ["--target=Verify", "--provider=existing"], ["--target=SetContexts", "--provider=existing", "--merge-kubeconfig"] })
        {
            var (code, output) = HostProcess.Run(
                scratch.Location, [.. arguments, "--work-dir=other", "--verbosity=diagnostic"], new Dictionary<string, string?> { ["CTX_CLUSTER1"] = "cluster1", [variable] = value });

            Assert.That(code, Is.EqualTo(2), output);
            Assert.That(output, Does.Contain($"{id} {variable}: "));
            var pieces = Enumerable.Range(0, output.Length - 8).Select(at => output.Substring(at, 8)).ToHashSet();
            Assert.That(hidden.SelectMany(s => Enumerable.Range(0, s.Length - 8).Select(at => s.Substring(at, 8))).Where(pieces.Contains), Is.Empty, "no eight characters of it");
            Assert.That(Directory.Exists(scratch.File("other")), Is.False, "nothing was written");
        }
    }

    private static bool IsOpen(string file) =>
        !file.EndsWith("-key.pem", StringComparison.Ordinal) && Path.GetFileName(file) != "passphrase"
        && Path.GetFileName(Path.GetDirectoryName(file)) != "kubeconfig"
        && !file.Contains($"{Path.DirectorySeparatorChar}embedded{Path.DirectorySeparatorChar}", StringComparison.Ordinal);

    /// <summary>The metadata (annotations, managedFields) of every object that the embedded servers keep.</summary>
    private static List<string> Metadata(ScratchDirectory scratch)
    {
        var found = new List<string>();
        foreach (var file in Directory.EnumerateFiles(scratch.File("mesh/embedded"), "objects.json", SearchOption.AllDirectories)) Collect(JsonNode.Parse(File.ReadAllText(file)), found);
        Assert.That(found.Where(text => text.Contains("managedFields", StringComparison.Ordinal) && text.Contains("cacerts", StringComparison.Ordinal)), Has.Exactly(2).Items);
        return found;
    }

    private static void Collect(JsonNode? node, List<string> found)
    {
        if (node is JsonObject fields)
        {
            foreach (var (name, value) in fields)
            {
                if (name == "metadata" && value is not null) found.Add(value.ToJsonString());
                else Collect(value, found);
            }
        }
        else if (node is JsonArray items)
        {
            foreach (var item in items) Collect(item, found);
        }
    }

    /// <summary>Command line and environment of the running host, if the system shows them.</summary>
    private static string WatchProcess(HostProcess host)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (!host.HasExited && OperatingSystem.IsLinux())
        {
            try
            {
                seen.Add(File.ReadAllText($"/proc/{host.Id}/cmdline"));
                seen.Add(File.ReadAllText($"/proc/{host.Id}/environ"));
            }
            catch (IOException)
            {
                break; // It ended meanwhile.
            }

            Thread.Sleep(20);
        }

        return string.Concat(seen);
    }
}
