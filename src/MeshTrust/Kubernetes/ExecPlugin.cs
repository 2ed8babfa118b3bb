using System.Collections.Concurrent;
using System.ComponentModel;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MeshTrust.IO;
using MeshTrust.Kubeconfig;

namespace MeshTrust.Kubernetes;

/// <summary>
/// A credential command as client-go calls it (plugin/pkg/client/auth/exec): once for each user and process, until its credential
/// expires or is rejected.
/// </summary>
internal sealed class ExecPlugin
{
    private const string Kind = "ExecCredential";
    private const string ClusterExtension = "client.authentication.k8s.io/exec";
    private const string LogIn = "Run it manually, log in if it prompts you, then rerun.";

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly ConcurrentDictionary<string, ExecPlugin> All = new(StringComparer.Ordinal);

    private readonly Lock _lock = new();
    private Task<ApiCredential>? _latest;

    /// <exception cref="MeshTrustException">MT3016 or MT3018: it returned no credential.</exception>
    internal static Task<ApiCredential> CredentialAsync(
        ResolvedContext context, ApiCredential? rejected, ClusterApiSettings settings, CancellationToken cancellationToken)
    {
        var exec = context.Exec!;
        var cluster = exec.Flag("provideClusterInfo") ? KubeconfigEdit.Canonical(context.Cluster.Body) : "";
        var key = KubeconfigEdit.Canonical(exec.Body) + cluster;
        return All.GetOrAdd(key, _ => new()).LatestAsync(
            rejected, settings.Time, () => new ExecCall(context, exec, settings).RunAsync(cancellationToken)).WaitAsync(cancellationToken);
    }

    private Task<ApiCredential> LatestAsync(ApiCredential? rejected, TimeProvider time, Func<Task<ApiCredential>> call)
    {
        lock (_lock)
        {
            var isUsable = _latest is { IsCompleted: false }
                || _latest is { IsCompletedSuccessfully: true, Result: var held }
                && !ReferenceEquals(held, rejected) && !(held.Expires <= time.GetUtcNow());
            return isUsable ? _latest! : _latest = Task.Run(call);
        }
    }

    /// <summary>One call of the command of a context.</summary>
    private sealed class ExecCall(ResolvedContext context, KubeconfigEntry exec, ClusterApiSettings settings)
    {
        private readonly string _command = exec.Text("command")!;
        private readonly string _version = exec.Text("apiVersion")!;

        internal async Task<ApiCredential> RunAsync(CancellationToken cancellationToken)
        {
            var mode = exec.Text("interactiveMode");
            if (mode == "Always" && settings.Prompt is null)
            {
                throw Failed("must prompt (interactiveMode: Always), but standard input is not a terminal",
                    "Run this at a terminal, or log in in a way that needs no prompt.");
            }

            var isInteractive = mode != "Never" && settings.Prompt is not null;
            var request = new ProcessRequest(Find(), exec.Texts("args"))
            {
                IsAtTerminal = isInteractive,
                MostOutput = 1 << 20,
                Environment = variables =>
                {
                    foreach (var variable in exec.Maps("env")) variables[variable.Text("name")!] = variable.Text("value") ?? "";
                    variables["KUBERNETES_EXEC_INFO"] = Information(isInteractive);
                },
            };
            try
            {
                using var pause = isInteractive ? await settings.Prompt!(cancellationToken).ConfigureAwait(false) : null;
                var result = await ProcessRunner.RunAsync(request, Deadline, settings.Time, cancellationToken).ConfigureAwait(false);
                if (result.ExitCode == 0) return Read(result.Output);
                var said = ApiStatus.Clean(result.Error);
                throw Failed($"failed with exit code {result.ExitCode}{(said.Length == 0 ? "" : $": {said.TrimEnd('.')}")}", LogIn);
            }
            catch (TimeoutException)
            {
                throw Failed($"did not end in {Deadline.TotalSeconds:0} s", LogIn, "MT3018");
            }
            catch (Win32Exception e)
            {
                throw Failed($"cannot be started: {e.Message.TrimEnd('.')}",
                    "Check that it is a program for this machine; a script needs '#!' in its first line.");
            }
            catch (InvalidDataException)
            {
                throw Failed("wrote more than 1 MiB", "Check that it is a credential command.");
            }
        }

        private MeshTrustException Failed(string what, string hint, string id = "MT3016") => ApiCredentials.Unusable(
            context, context.User.LocationOf("exec"),
            $"The credential command '{_command}' of the user '{context.User.Name}' {what}.", hint, id);

        /// <summary>As Go: on the PATH unless it has a slash, and never in the current directory.</summary>
        private string Find()
        {
            string[] extensions = OperatingSystem.IsWindows() ? ["", ".exe", ".cmd", ".bat"] : [""];
            var hasDirectory = _command.Contains(Path.DirectorySeparatorChar);
            var directories = hasDirectory ? [""]
                : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Where(Path.IsPathRooted);
            var found = directories.SelectMany(d => extensions.Select(e => Path.Combine(d, _command + e))).Where(File.Exists).ToList();
            if (found.Find(IsExecutable) is { } program) return program;
            if (found.Count > 0) throw Failed($"is not executable ({found[0]})", $"Make it executable: chmod +x '{found[0]}'");
            throw Failed(hasDirectory ? "does not exist" : "is not installed: it is not on the PATH",
                exec.Text("installHint") is { } hint ? Text.OneLine(hint.Trim(), longest: 1000)
                    : "Install it, or put its directory on the PATH.");
        }

        private static bool IsExecutable(string file) => OperatingSystem.IsWindows()
            || (File.GetUnixFileMode(file) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0;

        private ApiCredential Read(string output)
        {
            if (string.IsNullOrWhiteSpace(output)) throw Failed("returned nothing", LogIn);
            var root = BoundedYaml.ReadEither(_command, output, new YamlLimits(Tags: true, LikeKubectl: true)).Root;
            var answer = new KubeconfigEntry("", _command, 1, root as YamlDotNet.RepresentationModel.YamlMappingNode ?? []);
            if (answer.Body.Children.Count == 0) throw Failed("returned something that is not JSON", LogIn);
            var (kind, version) = (answer.Text("kind"), answer.Text("apiVersion"));
            if (kind != Kind || version != _version)
            {
                throw Failed($"returned {Text.OneLine($"{version} {kind}".Trim(), longest: 100)} instead of {_version} {Kind}",
                    $"Use the version of the command that returns {_version}, or set its apiVersion in the kubeconfig.");
            }

            var status = answer.Map("status");
            var (token, certificate, key) = (status?.Text("token"), status?.Text("clientCertificateData"), status?.Text("clientKeyData"));
            if ((certificate is null) != (key is null)) throw Failed("returned a certificate without its key, or a key alone", LogIn);
            if (token is null && certificate is null) throw Failed("returned neither a token nor a certificate", LogIn);
            if (token?.Any(char.IsControl) == true) throw Failed("returned a token with a line break", LogIn);
            var expires = status!.Text("expirationTimestamp");
            var isTime = DateTimeOffset.TryParse(expires, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var end);
            if (expires is not null && !isTime) throw Failed("returned an expirationTimestamp that is not a time", LogIn);
            try
            {
                return new(token is null ? null : "Bearer " + token,
                    certificate is null ? null : ApiCredentials.Certificate(certificate, key!), expires is null ? null : end);
            }
            catch (Exception e) when (e is CryptographicException or ArgumentException)
            {
                throw Failed("returned a certificate and a key that do not match, or one is damaged", LogIn);
            }
        }

        /// <summary>What the command reads from <c>KUBERNETES_EXEC_INFO</c>.</summary>
        private string Information(bool isInteractive)
        {
            using var text = new MemoryStream();
            using (var json = new Utf8JsonWriter(text))
            {
                json.WriteStartObject();
                json.WriteString("kind", Kind);
                json.WriteString("apiVersion", _version);
                json.WriteStartObject("spec");
                if (exec.Flag("provideClusterInfo")) WriteCluster(json, context.Cluster);
                json.WriteBoolean("interactive", isInteractive);
                json.WriteEndObject();
                json.WriteEndObject();
            }

            return Encoding.UTF8.GetString(text.ToArray());
        }

        private static void WriteCluster(Utf8JsonWriter json, KubeconfigEntry cluster)
        {
            json.WriteStartObject("cluster");
            foreach (var key in (string[])["server", "tls-server-name", "certificate-authority-data", "proxy-url"])
                if (cluster.Text(key) is { } value) json.WriteString(key, value);
            foreach (var key in (string[])["insecure-skip-tls-verify", "disable-compression"])
                if (cluster.Flag(key)) json.WriteBoolean(key, true);
            json.WritePropertyName("config");
            if (cluster.Maps("extensions").FirstOrDefault(e => e.Text("name") == ClusterExtension)?.Node("extension") is { } config)
                config.ToJson().WriteTo(json);
            else json.WriteNullValue();
            json.WriteEndObject();
        }
    }
}
