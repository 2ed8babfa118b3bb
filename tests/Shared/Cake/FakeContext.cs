using global::Cake.Core;
using global::Cake.Core.Diagnostics;
using global::Cake.Core.IO;
using NSubstitute;

namespace MeshTrust.Tests.Cake;

/// <summary>A Cake context for a directory, with arguments, variables and a log that keeps its lines.</summary>
internal sealed class FakeContext
{
    private readonly List<string> _lines = [];

    public FakeContext(string directory, IReadOnlyDictionary<string, string>? arguments = null, IReadOnlyDictionary<string, string>? variables = null)
    {
        var log = Substitute.For<ICakeLog>();
        log.Verbosity.Returns(Verbosity.Diagnostic);
        log.When(l => l.Write(Arg.Any<Verbosity>(), Arg.Any<LogLevel>(), Arg.Any<string>(), Arg.Any<object[]>()))
            .Do(call =>
            {
                var values = call.ArgAt<object[]>(3);
                lock (_lines) _lines.Add($"{call.ArgAt<LogLevel>(1)}: {(values.Length == 0 ? call.ArgAt<string>(2) : string.Format(null, call.ArgAt<string>(2), values))}");
            });
        var environment = Substitute.For<ICakeEnvironment>();
        environment.WorkingDirectory.Returns(new DirectoryPath(directory));
        environment.GetEnvironmentVariables().Returns(_ => (variables ?? new Dictionary<string, string>()).ToDictionary(v => v.Key, v => (string?)v.Value));
        environment.GetEnvironmentVariable(Arg.Any<string>()).Returns(call => variables?.GetValueOrDefault(call.Arg<string>()));
        var given = Substitute.For<ICakeArguments>();
        given.GetArguments().Returns(_ => (arguments ?? new Dictionary<string, string>()).ToDictionary(a => a.Key, a => (ICollection<string>)[a.Value]));
        Context = Substitute.For<ICakeContext>();
        Context.Log.Returns(log);
        Context.Environment.Returns(environment);
        Context.Arguments.Returns(given);
    }

    public ICakeContext Context { get; }

    /// <summary>Each line with its level before it.</summary>
    public IReadOnlyList<string> Lines
    {
        get { lock (_lines) return [.. _lines]; }
    }
}
