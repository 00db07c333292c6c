"""dishka provider that puts spans around a worker's turns. Loaded by entrypoints/tracing.py."""

from dishka import Provider, Scope, decorate, provide

from adapters.opentelemetry_effects import TracedModel, TracedRunner
from adapters.opentelemetry_turns import TracedConversations, TracedJobs, TracedReact, TracedTurns
from application.conversations import ConversationStore
from application.react import React
from application.turns import TurnRunner, Turns
from entrypoints.worker_wiring import Models


class TurnTracingProvider(Provider):
    """Beside TracingProvider, which has the tracer."""

    scope = Scope.APP

    jobs = provide(TracedJobs)

    @decorate
    def conversations(self, store: ConversationStore, jobs: TracedJobs) -> ConversationStore:
        return TracedConversations(store, jobs)

    @decorate
    def react(self, react: React, jobs: TracedJobs) -> React:
        return TracedReact(react, jobs)

    @decorate
    def runner(self, runner: TurnRunner, jobs: TracedJobs) -> TurnRunner:
        return TracedRunner(runner, jobs)

    @decorate
    def models(self, models: Models) -> Models:
        return Models({api: TracedModel(model) for api, model in models.items()})

    @decorate
    def turns(self, turns: Turns, jobs: TracedJobs) -> Turns:
        return TracedTurns(turns, jobs)
