"""The official OpenAI client against a running martlet. Usage: openai_client.py BASE_URL"""
import json
import math
import sys
from datetime import date
from typing import Literal, Optional

import jsonschema
import openai
import pydantic

client = openai.OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)
model = client.models.list().data[0].id
messages = [{"role": "user", "content": "Once upon a time"}]


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")
    print(f"ok: {what}")


def refused(kind, status, field, call, **arguments):
    try:
        call(**arguments)
    except openai.APIStatusError as error:
        check(type(error) is kind and error.status_code == status, f"{kind.__name__} {status}")
        check(error.param == field, f"the error names {field}")
    else:
        sys.exit(f"FAILED: {arguments} was taken")


chat = client.chat.completions.create
whole = chat(model=model, messages=messages, temperature=0, max_tokens=12, logprobs=True, top_logprobs=3)
check(whole.choices[0].finish_reason == "length", "a chat answers")
check(whole.usage.completion_tokens == 12, "usage is counted")
check(whole.usage.martlet["pairs"] > 0, "usage has the cost record")
content = whole.choices[0].logprobs.content
check(len(content) == 12 and all(len(t.top_logprobs) == 3 for t in content), "logprobs are told")
check(all(t.logprob == t.top_logprobs[0].logprob for t in content), "greedy takes the likeliest")

chunks = list(
    chat(model=model, messages=messages, temperature=0, max_tokens=12, stream=True,
         stream_options={"include_usage": True}))
text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
check(text == whole.choices[0].message.content, "a stream is the whole answer")
check(chunks[-1].usage.completion_tokens == 12, "a stream's last chunk has the usage")

with chat(model=model, messages=messages, max_tokens=200, stream=True) as stream:
    next(iter(stream))
check(True, "a stream may be left")

several = chat(model=model, messages=messages, max_tokens=5, n=3, seed=1)
check(len(several.choices) == 3, "several answers")
again = chat(model=model, messages=messages, max_tokens=5, n=3, seed=1)
check([c.message.content for c in several.choices] == [c.message.content for c in again.choices],
      "a seed repeats them")
stopped = chat(model=model, messages=messages, temperature=0, max_tokens=12, stop=text[4:8])
check(stopped.choices[0].message.content == text[:text.index(text[4:8])], "a stop text stops")

tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
check(chat(model=model, messages=messages, max_tokens=5, tools=[tool]).choices, "tools are taken")

scored = client.completions.create(
    model=model, prompt="Once upon a time", max_tokens=0, echo=True, logprobs=2)
logprobs = scored.choices[0].logprobs
check(scored.choices[0].text == "Once upon a time", "echo gives the prompt")
check(logprobs.token_logprobs[0] is None and all(p <= 0 for p in logprobs.token_logprobs[1:]),
      "the prompt's tokens are scored")

for form in ["float", "base64"]:
    vectors = client.embeddings.create(model=model, input=["a", "b"], encoding_format=form).data
    check(len(vectors) == 2, f"embeddings as {form}")
plain = client.embeddings.create(model=model, input="a house").data[0].embedding
check(math.isclose(sum(x * x for x in plain), 1, abs_tol=1e-4), "embeddings have length 1")

refused(openai.BadRequestError, 400, "temperature", chat, model=model, messages=messages, temperature=-1)
refused(openai.NotFoundError, 404, "model", chat, model="other", messages=messages)
refused(openai.BadRequestError, 400, "response_format", chat, model=model, messages=messages,
        response_format={"type": "xml"})


class Person(pydantic.BaseModel):
    name: str = pydantic.Field(max_length=12)
    age: int = pydantic.Field(ge=0, le=150)
    kind: Literal["cat", "dog", "human"]
    born: Optional[date]
    friends: list["Person"] = pydantic.Field(max_length=1)


for seed in range(3):
    parsed = client.chat.completions.parse(
        model=model, messages=messages, response_format=Person, max_tokens=600, seed=seed)
    if parsed.choices[0].finish_reason == "stop":
        check(isinstance(parsed.choices[0].message.parsed, Person), f"pydantic parses: {seed}")
schema = {
    "type": "object", "required": ["points", "label"],
    "properties": {
        "points": {"type": "array", "minItems": 1, "maxItems": 3, "items": {
            "type": "array", "prefixItems": [{"type": "number", "minimum": 0}, {"type": "integer"}],
            "items": False, "minItems": 2}},
        "label": {"type": "string", "pattern": "^[a-z]{2,5}-\\d+$", },
    }, "additionalProperties": False}
form = {"type": "json_schema", "json_schema": {"name": "points", "schema": schema}}
for seed in range(3):
    answer = chat(model=model, messages=messages, response_format=form, max_tokens=400, seed=seed,
                  frequency_penalty=1.5)
    if answer.choices[0].finish_reason == "stop":
        jsonschema.validate(json.loads(answer.choices[0].message.content), schema)
        check(True, f"the schema is followed: {seed}")
streamed = "".join(
    c.choices[0].delta.content or ""
    for c in chat(model=model, messages=messages, response_format=form, max_tokens=400, seed=1,
                  temperature=0, stream=True))
whole = chat(model=model, messages=messages, response_format=form, max_tokens=400, seed=1,
             temperature=0)
check(streamed == whole.choices[0].message.content, "a forced stream is the whole answer")
answer = chat(model=model, messages=messages, response_format={"type": "json_object"},
              max_tokens=400, temperature=0, frequency_penalty=2)
check(answer.choices[0].message.content.startswith("{"), "an object is an object")
refused(openai.BadRequestError, 400, "response_format.json_schema.schema", chat, model=model,
        messages=messages, response_format={"type": "json_schema", "json_schema": {
            "name": "a", "schema": {"type": "array", "contains": {}}}})


weather = {"type": "function", "function": {"name": "weather", "strict": True, "parameters": {
    "type": "object", "properties": {"city": {"enum": ["Oslo", "Rome"]},
                                     "days": {"type": "integer", "minimum": 1, "maximum": 9}},
    "required": ["city", "days"], "additionalProperties": False}}}
clock = {"type": "function", "function": {"name": "clock"}}
named = {"type": "function", "function": {"name": "weather"}}
for choice in ["required", named]:
    answer = chat(model=model, messages=messages, tools=[weather, clock], tool_choice=choice,
                  parallel_tool_calls=False, max_tokens=200, temperature=0)
    calls = answer.choices[0].message.tool_calls
    check(len(calls) == 1 and answer.choices[0].finish_reason == "tool_calls", f"a forced call: {choice}")
    arguments = json.loads(calls[0].function.arguments)
    jsonschema.validate(arguments, weather["function"]["parameters"]
                        if calls[0].function.name == "weather" else {"const": {}})
with client.chat.completions.stream(
        model=model, messages=messages, tools=[weather], tool_choice=named, max_tokens=200,
        temperature=0) as stream:
    final = stream.get_final_completion()
call = final.choices[0].message.tool_calls[0].function
check(call.name == "weather" and call.parsed_arguments == json.loads(call.arguments),
      "a forced call streams")
told = messages + [
    {"role": "assistant", "tool_calls": [c.model_dump() for c in calls]},
    {"role": "tool", "tool_call_id": calls[0].id, "content": "12 degrees"}]
check(chat(model=model, messages=told, tools=[weather], tool_choice="none", max_tokens=5).choices,
      "a call's result is taken")
refused(openai.BadRequestError, 400, "tool_choice", chat, model=model, messages=messages,
        tool_choice="required")
