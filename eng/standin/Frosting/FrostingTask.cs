using Cake.Core;

namespace Cake.Frosting;

/// <summary>A task, for any context.</summary>
public abstract class FrostingTask : FrostingTask<ICakeContext>
{
}

/// <summary>A task.</summary>
/// <typeparam name="T">The context that the task needs; a host with another context leaves the task out.</typeparam>
public abstract class FrostingTask<T> : IFrostingTask
    where T : ICakeContext
{
    /// <summary>Whether the task runs. A target that does not run is an error, a dependency that does not is skipped.</summary>
    /// <param name="context">The context.</param>
    /// <returns><see langword="true"/>, unless overridden.</returns>
    public virtual bool ShouldRun(T context) => true;

    /// <summary>Does the task's work.</summary>
    /// <param name="context">The context.</param>
    public virtual void Run(T context)
    {
    }

    /// <summary>Handles an exception of the task. An override swallows it unless it throws again.</summary>
    /// <param name="exception">The exception.</param>
    /// <param name="context">The context.</param>
    public virtual void OnError(Exception exception, T context)
    {
    }

    /// <summary>Called after the task, whether it failed or not.</summary>
    /// <param name="context">The context.</param>
    public virtual void Finally(T context)
    {
    }

    bool IFrostingTask.ShouldRun(ICakeContext context) => ShouldRun((T)context);

    Task IFrostingTask.RunAsync(ICakeContext context)
    {
        Run((T)context);
        return Task.CompletedTask;
    }

    void IFrostingTask.OnError(Exception exception, ICakeContext context) => OnError(exception, (T)context);

    void IFrostingTask.Finally(ICakeContext context) => Finally((T)context);
}

/// <summary>A task. Derive from <see cref="FrostingTask"/> or <see cref="AsyncFrostingTask"/>: the host takes no other.</summary>
public interface IFrostingTask
{
    /// <summary>What is written when the task is skipped.</summary>
    string SkippedMessage => string.Empty;

    /// <summary>Says whether the task runs.</summary>
    /// <param name="context">The context.</param>
    /// <returns>Whether it runs.</returns>
    bool ShouldRun(ICakeContext context);

    /// <summary>Does the task's work.</summary>
    /// <param name="context">The context.</param>
    /// <returns>The work.</returns>
    Task RunAsync(ICakeContext context);

    /// <summary>Handles an exception of the task.</summary>
    /// <param name="exception">The exception.</param>
    /// <param name="context">The context.</param>
    void OnError(Exception exception, ICakeContext context);

    /// <summary>Called after the task, whether it failed or not.</summary>
    /// <param name="context">The context.</param>
    void Finally(ICakeContext context);
}

/// <summary>A task that runs asynchronously, for any context.</summary>
public abstract class AsyncFrostingTask : AsyncFrostingTask<ICakeContext>
{
}

/// <summary>A task that runs asynchronously.</summary>
/// <typeparam name="T">The context that the task needs; a host with another context leaves the task out.</typeparam>
public abstract class AsyncFrostingTask<T> : IFrostingTask
    where T : ICakeContext
{
    /// <summary>Whether the task runs. A target that does not run is an error, a dependency that does not is skipped.</summary>
    /// <param name="context">The context.</param>
    /// <returns><see langword="true"/>, unless overridden.</returns>
    public virtual bool ShouldRun(T context) => true;

    /// <summary>Does the task's work.</summary>
    /// <param name="context">The context.</param>
    /// <returns>The work.</returns>
    public virtual Task RunAsync(T context) => Task.CompletedTask;

    /// <summary>Handles an exception of the task. An override swallows it unless it throws again.</summary>
    /// <param name="exception">The exception.</param>
    /// <param name="context">The context.</param>
    public virtual void OnError(Exception exception, T context)
    {
    }

    /// <summary>Called after the task, whether it failed or not.</summary>
    /// <param name="context">The context.</param>
    public virtual void Finally(T context)
    {
    }

    bool IFrostingTask.ShouldRun(ICakeContext context) => ShouldRun((T)context);

    Task IFrostingTask.RunAsync(ICakeContext context) => RunAsync((T)context);

    void IFrostingTask.OnError(Exception exception, ICakeContext context) => OnError(exception, (T)context);

    void IFrostingTask.Finally(ICakeContext context) => Finally((T)context);
}
